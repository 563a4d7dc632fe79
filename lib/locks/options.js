'use strict';

/** The options of a wait for a lock. */

const { LONGEST_TIMER } = require('../runtime/clock');
const { validateAbortSignal, validateLimit, validateOptions } = require('../validators');

const BLOCKING = new Set(['timeout']);
const WAITING = new Set(['timeout', 'signal']);
const NOT_BLOCKING = { signal: 'a blocked thread cannot hear it: use the asynchronous form' };

const NO_LIMITS = Object.freeze({ timeout: undefined, signal: undefined });

/** @returns {number | undefined} milliseconds; undefined for no limit */
function timeoutOf(options) {
  if (options === undefined) return undefined;
  const { timeout } = validateOptions(options, 'options', BLOCKING, NOT_BLOCKING);
  return validateLimit(timeout, 'options.timeout', 0, LONGEST_TIMER);
}

/** @returns {{ timeout?: number, signal?: AbortSignal }} what may end a wait early */
function waitOptions(options) {
  if (options === undefined) return NO_LIMITS;
  const { timeout: given, signal } = validateOptions(options, 'options', WAITING);
  const timeout = validateLimit(given, 'options.timeout', 0, LONGEST_TIMER);
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  return { timeout, signal };
}

module.exports = { timeoutOf, waitOptions };
