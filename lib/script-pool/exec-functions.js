'use strict';

/**
 * A worker's functions whose source came from the owner of the pool (`pool.exec`). The owner keeps each source under a number that it
 * never uses again; a worker reads and compiles it for the first task of it.
 */

const { binding } = require('../native');
const { compileFunction } = require('../runtime/compiled-function');

/** So many compiled functions are kept; then the one that was not used for longest goes. */
const MOST = 256;

/** By number, the one that was used last at the end. */
const kept = new Map();

/**
 * @param {number} number of the source
 * @returns {(input: [args: unknown[], captured: unknown[]]) => unknown}
 */
function functionOfSource(number) {
  const run = kept.get(number) ?? made(number);
  kept.delete(number);
  kept.set(number, run);
  if (kept.size > MOST) kept.delete(kept.keys().next().value);
  return run;
}

function made(number) {
  const source = binding.scriptSource(number);
  if (source === null) {
    const { InternalError } = require('../errors');
    return () => {
      throw new InternalError('the source of a function was lost on its way to a worker; please report this');
    };
  }
  const { text, isMethod, isStrict, captured, uses, place } = JSON.parse(source);
  const before = `${isStrict ? '"use strict";' : ''}return ${isMethod ? '({' : '('}`;
  const make = compileFunction(before, text, isMethod ? '\n})' : '\n)', [...uses, ...captured], place);
  const own = ofFile(uses, place);
  return ([args, values]) => {
    const fn = make(...own, ...values);
    return Reflect.apply(isMethod ? methodOf(fn) : fn, undefined, args);
  };
}

/** The one function of an object. */
function methodOf(holder) {
  const { value, get, set } = Object.getOwnPropertyDescriptor(holder, Reflect.ownKeys(holder)[0]);
  return value ?? get ?? set;
}

/** What a function uses that is made for its file. */
function ofFile(uses, { file }) {
  if (uses.length === 0) return [];
  const path = require('node:path');
  const { createRequire } = require('node:module');
  const { fileURLToPath } = require('node:url');
  const name = file === undefined ? path.resolve('exec') : file.startsWith('file:') ? fileURLToPath(file) : file;
  const values = {
    require: () => createRequire(name),
    __filename: () => name,
    __dirname: () => path.dirname(name),
    __name: () => (target, value) => Object.defineProperty(target, 'name', { value, configurable: true }),
  };
  return uses.map((use) => values[use]());
}

module.exports = { functionOfSource };
