'use strict';

/**
 * What became of one of many inputs.
 *
 * `stream`, `transform`, `forEach` and `reduce` fail with an InputFailedError, which names the input and has the task's error as its
 * `cause`. That one stays as it is: several callers may have the same object (`dedupe`), and it may be any value. `map` rejects
 * with the task's error itself; one of ours gets the `index`.
 */

const {
  InputFailedError, PoolClosedError, ScriptLoadError, ThreadSpawnError, UnknownTaskError, publicClasses, withoutStack,
} = require('../errors');
const { define } = require('../runtime/intrinsics');

const fulfilled = (value, index) => ({ status: 'fulfilled', value, index });
const rejected = (reason, index) => ({ status: 'rejected', reason, index });

/** What the message of a failure says of its reason. */
function messageOf(reason) {
  try {
    return typeof reason === 'object' && reason !== null ? String(reason.message) : String(reason);
  } catch {
    return 'it threw a value that cannot be described';
  }
}

/**
 * The error of a stream whose input failed.
 *
 * @param {unknown} cause what the task threw, as it is
 * @param {number} index the input's
 * @param {string} task its name
 * @param {number} [last] where it is only known to be one of these: the last of them
 */
function inputFailed(cause, index, task, last = index) {
  const which = last === index ? `input ${index}` : `one of the inputs ${index} to ${last}`;
  return withoutStack(() => new InputFailedError(`${which} failed: ${messageOf(cause)}`, { cause, index, task }));
}

const ours = new Set(Object.values(publicClasses));

const OF_THE_CALL = [PoolClosedError, ScriptLoadError, ThreadSpawnError, UnknownTaskError];

/** Whether an error is not that of an input, but of all of them alike. */
const isOfTheCall = (error) => OF_THE_CALL.some((Class) => error instanceof Class);

/** The error of a map whose input failed: an error of ours gets the input's index, and any other stays as it is. */
function named(error, index) {
  if (ours.has(error?.constructor) && !Object.hasOwn(error, 'index')) define(error, 'index', index);
  return error;
}

/** The error of a native batch, in whose message the native side has named the input (pool/batch.rs). */
function namedByMessage(error) {
  const found = /^input (\d+)\b/.exec(messageOf(error));
  return found === null ? error : named(error, Number(found[1]));
}

module.exports = { fulfilled, inputFailed, isOfTheCall, named, namedByMessage, rejected };
