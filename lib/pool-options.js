'use strict';

/** The options of a pool and of a run: checked, and completed with their defaults. */

const { availableParallelism } = require('node:os');

const { InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = require('./errors');
const {
  validateAbortSignal,
  validateArray,
  validateInteger,
  validateNumber,
  validateObject,
  validateString,
} = require('./validators');

const MAX_THREADS = 1024;
const KIB = 1024;

/** Timers take no more milliseconds than this. */
const MAX_TIMEOUT = 2 ** 31 - 1;

const INT32 = 2 ** 31;

/**
 * @param {object} options as the user gave them
 * @returns {object} as `createPool` takes them
 */
function poolSettings(options) {
  validateObject(options, 'options');
  const {
    maxThreads = availableParallelism(),
    minThreads = 0,
    idleTimeout = 10_000,
    maxQueue = Infinity,
    stackSize = 2 * KIB * KIB,
    name = 'rust-workers',
  } = options;
  validateInteger(maxThreads, 'options.maxThreads', 1, MAX_THREADS);
  validateInteger(minThreads, 'options.minThreads', 0, MAX_THREADS);
  if (minThreads > maxThreads) {
    throw new OutOfRangeError(
      `"options.minThreads" (${minThreads}) must not be above "options.maxThreads" (${maxThreads})`,
    );
  }
  validateNumber(idleTimeout, 'options.idleTimeout', 0);
  if (maxQueue !== Infinity) validateInteger(maxQueue, 'options.maxQueue', 0);
  validateInteger(stackSize, 'options.stackSize', 256 * KIB, 1024 * KIB * KIB);
  validateString(name, 'options.name');
  if (name.includes('\0')) throw new InvalidArgValueError('"options.name" must not contain a NUL character');
  return { minThreads, maxThreads, idleTimeout, maxQueue, stackSize, name };
}

/**
 * Checks the options of one run.
 *
 * @returns {{ priority: number, signal?: AbortSignal, timeout?: number, transfer?: ArrayBuffer[],
 *   parallel: boolean }}
 */
function runTerms(options) {
  validateObject(options, 'options');
  const { priority = 0, signal, timeout, transfer, parallel = false } = options;
  validateInteger(priority, 'options.priority', -INT32, INT32 - 1);
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  if (timeout !== undefined && timeout !== Infinity) validateNumber(timeout, 'options.timeout', 0, MAX_TIMEOUT);
  // 'auto' is for scripts, which look for themselves.
  const listed = transfer === 'auto' ? undefined : transfer;
  if (listed !== undefined) validateArray(listed, 'options.transfer');
  if (typeof parallel !== 'boolean') {
    throw new InvalidArgTypeError(`The "options.parallel" argument must be a boolean. Received ${typeof parallel}`);
  }
  return { priority, signal, timeout: timeout === Infinity ? undefined : timeout, transfer: listed, parallel };
}

module.exports = { poolSettings, runTerms };
