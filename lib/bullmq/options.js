'use strict';

/** The options of a processor and of a PoolWorker: checked, and completed with their defaults. */

const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');
const { describe, validateBoolean, validateFunction, validateNumber, validateObject, validateOptions } = require('../validators');

/** Ours. All other options of a PoolWorker are BullMQ's. */
const OURS = ['task', 'input', 'timeout', 'deadline', 'result', 'retryCancelled', 'busyDelay'];
const PROCESSOR = new Set(OURS);

const CLOSE = new Set(['force', 'timeout']);

const INPUTS = ['data', 'job'];

const isFunction = (value) => typeof value === 'function';

/**
 * By its methods: a pool of another copy of rust-workers will do.
 *
 * @param {unknown} pool
 */
function validatePool(pool) {
  if (!isFunction(pool?.run) || !isFunction(pool?.runTask) || typeof pool.options !== 'object') {
    throw new InvalidArgTypeError(`The "pool" argument must be a WorkerPool. Received ${describe(pool)}`);
  }
}

/**
 * @param {number | undefined} timeout
 * @param {string} name as the caller knows it
 * @returns {number} Infinity for none
 */
function timeoutOf(timeout, name) {
  return timeout === undefined ? Infinity : validateNumber(timeout, name, 0);
}

/**
 * @param {Date | number | undefined} deadline
 * @param {string} name
 * @returns {number} milliseconds since 1970, Infinity for none
 */
function deadlineOf(deadline, name) {
  if (deadline === undefined) return Infinity;
  return validateNumber(deadline instanceof Date ? deadline.getTime() : deadline, name, 0);
}

/** @param {object} given the options of `poolProcessor` */
function processorOptions(given) {
  const {
    task,
    input = 'data',
    timeout,
    deadline,
    result,
    retryCancelled = false,
    busyDelay = 500,
  } = validateOptions(given, 'options', PROCESSOR);
  if (task !== undefined && typeof task !== 'string' && !isFunction(task)) {
    throw new InvalidArgTypeError(`The "options.task" argument must be a string or a function. Received ${describe(task)}`);
  }
  if (!INPUTS.includes(input)) {
    throw new InvalidArgValueError(`The "options.input" argument must be 'data' or 'job'. Received ${describe(input)}`);
  }
  if (!isFunction(timeout)) timeoutOf(timeout, 'options.timeout');
  if (!isFunction(deadline)) deadlineOf(deadline, 'options.deadline');
  if (result !== undefined) validateFunction(result, 'options.result');
  validateBoolean(retryCancelled, 'options.retryCancelled');
  validateNumber(busyDelay, 'options.busyDelay', 1, 2 ** 31 - 1);
  return { task, input, timeout, deadline, result, retryCancelled, busyDelay };
}

/** BullMQ passes over options that it does not know, so what looks like a misspelt one of ours is told here. */
function refuseMisspelt(name) {
  const { meant } = require('../unknown-option');
  const near = meant(name, [...OURS, 'closePool']);
  if (near !== '') throw new InvalidArgValueError(`unknown option '${name}'${near}`);
}

/**
 * Divides the options of a PoolWorker.
 *
 * @param {object} given
 * @returns {{ processor: object, worker: object, closePool: boolean }} `worker`: BullMQ's
 */
function poolWorkerOptions(given) {
  const { closePool = false, ...rest } = validateObject(given, 'options');
  validateBoolean(closePool, 'options.closePool');
  const processor = {};
  const worker = {};
  for (const name of Object.keys(rest)) {
    if (!PROCESSOR.has(name)) refuseMisspelt(name);
    (PROCESSOR.has(name) ? processor : worker)[name] = rest[name];
  }
  return { processor, worker, closePool };
}

/** @returns {{ force: boolean, timeout?: number }} the options of `close`; BullMQ's own form of it is a boolean */
function closeOptions(given = false) {
  if (typeof given === 'boolean') return { force: given, timeout: undefined };
  const { force = false, timeout } = validateOptions(given, 'options', CLOSE);
  validateBoolean(force, 'options.force');
  if (timeout !== undefined) validateNumber(timeout, 'options.timeout', 0);
  return { force, timeout };
}

module.exports = { closeOptions, deadlineOf, poolWorkerOptions, processorOptions, timeoutOf, validatePool };
