'use strict';

/** The functions of a light object, as sources: texts as they are, functions by their text, once nothing that they take from outside is missing. */

const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');
const { sourceOf } = require('../exec/function-source');
const { describe } = require('../validators');

/** What every world has: the globals of the interpreter, and `console` and `progress`. */
const THERE = new Set([
  'AggregateError', 'Array', 'ArrayBuffer', 'Atomics', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Date',
  'Error', 'EvalError', 'FinalizationRegistry', 'Float16Array', 'Float32Array', 'Float64Array', 'Function', 'Infinity', 'Int16Array', 'Int32Array',
  'Int8Array', 'Iterator', 'JSON', 'Map', 'Math', 'NaN', 'Number', 'Object', 'Promise', 'Proxy', 'RangeError', 'ReferenceError', 'Reflect',
  'RegExp', 'Set', 'SharedArrayBuffer', 'String', 'Symbol', 'SyntaxError', 'TypeError', 'URIError', 'Uint16Array', 'Uint32Array', 'Uint8Array',
  'Uint8ClampedArray', 'WeakMap', 'WeakRef', 'WeakSet', 'console', 'decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent',
  'escape', 'globalThis', 'isFinite', 'isNaN', 'parseFloat', 'parseInt', 'progress', 'undefined', 'unescape',
]);

/**
 * @param {string} name
 * @param {unknown} given a source, or a function
 * @param {Set<string>} given besides what is there everywhere: functions, globals, functions of the host
 * @returns {string} the source of an expression
 */
function lightSource(name, given, names) {
  if (typeof given === 'string') return given;
  if (typeof given !== 'function') {
    throw new InvalidArgTypeError(`The "functions.${name}" argument must be the source of a function, or a function. Received ${describe(given)}`);
  }
  const { text, isMethod, needed, globals } = sourceOf(given);
  const missing = [...new Set([...needed, ...globals])].filter((variable) => !THERE.has(variable) && !names.has(variable));
  if (missing.length > 0) {
    throw new InvalidArgValueError(
      `The function ${name} uses ${missing.join(', ')} from outside, which light code does not have. Pass it as an argument, ` +
        'give a value of `globals`, or a function of `host`',
      { variables: missing },
    );
  }
  return isMethod ? `Object.values({${text}})[0]` : text;
}

module.exports = { lightSource };
