'use strict';

/** The error of a result that cannot cross. Loaded for the first one. */

const { types } = require('node:util');

const { notTooDeep } = require('./too-deep');

/** What a result is that comes in parts; undefined for any other. */
function partsOf(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  if (types.isGeneratorObject(value)) return 'A generator';
  const { ReadableStream } = globalThis;
  return typeof ReadableStream === 'function' && value instanceof ReadableStream ? 'A stream' : undefined;
}

/**
 * @param {unknown} error with which the result was refused
 * @param {unknown} value the result
 * @returns {unknown} the error for the caller
 */
function refusedResult(error, value) {
  const what = partsOf(value);
  if (what === undefined) return notTooDeep(error, 'the result');
  const { UnsupportedValueError } = require('../errors');
  return new UnsupportedValueError(
    `${what} is no result that run() can give: take its parts by \`for await (const part of pool.iterate(name, input))\``,
    { cause: error },
  );
}

module.exports = { refusedResult };
