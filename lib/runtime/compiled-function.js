'use strict';

/**
 * Compiles the text of a function that stands in another file: its stack traces name that file, and its `import()` is relative to it.
 *
 * Relies on: `vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER` (Node 20.12 and later), and on the text of the warning that Node gives with
 * it. Without the constant, `import()` is made here: paths are relative to the file, packages to this one.
 * Test: __test__/calls/exec.test.js.
 */

const path = require('node:path');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');

/** `import()` where the runtime cannot be told to use its own. */
function importFrom(file) {
  return (specifier) => {
    const isRelative = /^\.{0,2}\//.test(specifier);
    return import(isRelative ? new URL(specifier, file.startsWith('file:') ? file : pathToFileURL(file)).href : specifier);
  };
}

/**
 * @param {string} before what stands before the text in its first line
 * @param {string} text
 * @param {string} after
 * @param {string[]} parameters
 * @param {{ file?: string, line: number, column: number }} place of the text
 * @returns {Function} with these parameters; the body is all three
 */
function compileFunction(before, text, after, parameters, { file, line, column }) {
  const filename = file ?? path.resolve('exec');
  const options = { filename, lineOffset: line - 1, columnOffset: column - 1 - before.length };
  const whole = `${before}${text}${after}`;
  if (!/\bimport\b/.test(text)) return vm.compileFunction(whole, parameters, options);
  const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  options.importModuleDynamically = loader ?? importFrom(filename);
  if (loader !== undefined) expectWarning();
  return vm.compileFunction(whole, parameters, options);
}

let isExpected = false;

/**
 * Node warns, at the first `import()`, that this constant is experimental. A program that has only called us can do nothing about it. All
 * other warnings pass, and all do once it has come.
 */
function expectWarning() {
  if (isExpected) return;
  isExpected = true;
  const { emitWarning } = process;
  process.emitWarning = function (warning, ...rest) {
    if (!String(warning).includes('USE_MAIN_CONTEXT_DEFAULT_LOADER')) return Reflect.apply(emitWarning, this, [warning, ...rest]);
    process.emitWarning = emitWarning;
  };
}

module.exports = { compileFunction };
