'use strict';

/** The options of a wait for a lock. */

const { validateAbortSignal, validateNumber, validateObject } = require('../validators');

/** Timers take no more milliseconds than this. */
const MAX_TIMEOUT = 2 ** 31 - 1;

const NO_TERMS = Object.freeze({ timeout: undefined, signal: undefined });

/** @returns {number | undefined} milliseconds; undefined for no limit */
function timeoutOf(options) {
  if (options === undefined) return undefined;
  const { timeout } = validateObject(options, 'options');
  if (timeout === undefined || timeout === Infinity) return undefined;
  return validateNumber(timeout, 'options.timeout', 0, MAX_TIMEOUT);
}

/** @returns {{ timeout?: number, signal?: AbortSignal }} */
function termsOf(options) {
  if (options === undefined) return NO_TERMS;
  const timeout = timeoutOf(options);
  const { signal } = options;
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  return { timeout, signal };
}

module.exports = { termsOf, timeoutOf };
