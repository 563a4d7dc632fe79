'use strict';

/** What an error of a run means for its job: whether it is tried again, and by whom. */

const { inspect, types } = require('node:util');

const { UnrecoverableError } = require('./peer');

/**
 * Errors that another try would meet again: the task does not exist, or does not take this input. A value that is too large is
 * not among them, since the memory may be there the next time.
 */
const SAME_AGAIN = new Set([
  'ERR_RW_INVALID_ARG_TYPE',
  'ERR_RW_INVALID_ARG_VALUE',
  'ERR_RW_OUT_OF_RANGE',
  'ERR_RW_UNKNOWN_TASK',
  'ERR_RW_INVALID_INPUT',
  'ERR_RW_UNSUPPORTED_VALUE',
  'ERR_RW_CYCLIC_VALUE',
  'ERR_RW_VALUE_TOO_DEEP',
]);

/** Milliseconds by which a timer may be early by the clock of the day. */
const CLOCKS_DIFFER = 10;

/** By these names BullMQ takes a job for moved; a task cannot move its job. */
const MOVES = new Set(['DelayedError', 'WaitingError', 'WaitingChildrenError']);

/**
 * BullMQ fails the job for good, and keeps both stacks.
 *
 * @param {Error} cause
 * @param {string} [message] that of the cause, if none is given
 */
function unrecoverable(cause, message = cause.message) {
  const error = new UnrecoverableError(message);
  Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
  error.stack = `${error.stack}\nCaused by: ${cause.stack ?? cause.message}`;
  return error;
}

/** BullMQ reads the message and the stack of what a processor throws. */
function asError(thrown) {
  if (thrown instanceof Error || types.isNativeError(thrown)) return thrown;
  return new Error(`The task threw ${inspect(thrown)}`, { cause: thrown });
}

/**
 * The error by which the job fails.
 *
 * @param {unknown} thrown by the task, or by the pool in its place
 * @param {number} [deadline] of the job, in milliseconds since 1970
 */
function failureOf(thrown, deadline = Infinity) {
  const error = asError(thrown);
  if (MOVES.has(error.name)) {
    return unrecoverable(error, `The task threw a ${error.name}, but only a processor in this process can move its job`);
  }
  const isSame = SAME_AGAIN.has(error.code) || error.name === 'DataCloneError';
  // Not by who has set the time limit: a task may throw the error of a pool of its own, long before.
  const isTooLate = error.code === 'ERR_RW_TASK_TIMEOUT' && Date.now() + CLOCKS_DIFFER >= deadline;
  return isSame || isTooLate ? unrecoverable(error) : error;
}

/**
 * Whether the pool refused the input, since its queue is full. A task may throw the error of a pool of its own.
 *
 * @param {unknown} input that was submitted
 */
const isRefused = (error, input) => error?.code === 'ERR_RW_QUEUE_FULL' && error.input === input;

/** @param {import('../pool/worker-pool').WorkerPool} pool */
const isPoolClosed = (error, pool) => error?.code === 'ERR_RW_POOL_CLOSED' && pool.closed;

module.exports = { failureOf, isPoolClosed, isRefused, unrecoverable };
