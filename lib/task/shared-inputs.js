'use strict';

/** Inputs and outputs of tasks that work on shared memory. */

const { types } = require('node:util');

const { InvalidArgValueError } = require('../errors');
const { wakePlainWaiters } = require('../shared-buffer/notifier');
const { SharedBuffer, memoryOf } = require('../shared-buffer/shared-buffer');

/** @typedef {import('./native-task-facts').NativeTask} NativeTask */

/** Whether this side reads a task's options too. */
const isLookedInto = ({ inPlace, wakesPlain }) => inPlace || wakesPlain;

/** Whether an object stands for shared memory. */
const isShared = (value) => memoryOf(value) !== undefined;

/** Whether an input is an object of options; a Proxy is none, nor is anything else that the codec refuses. */
function isOptions(input) {
  if (typeof input !== 'object' || input === null || types.isProxy(input) || Array.isArray(input)) return false;
  return !types.isMap(input) && !types.isSet(input) && !types.isDate(input) && !types.isNativeError(input) &&
    !isShared(input) && !ArrayBuffer.isView(input) && !types.isArrayBuffer(input);
}

/**
 * The input as it is now, where this side looks into it too: so its getters run once.
 *
 * @param {NativeTask} task
 */
const readOnce = (task, input) => (isLookedInto(task) && isOptions(input) ? { ...input } : input);

/**
 * The result of a task that ran in place: the object that the caller passed, also where it stood in `{ data }`.
 * Undefined when the result is the task's own. The input was read by `readOnce`.
 *
 * @param {NativeTask} task
 */
function givenBack(task, input) {
  if (!task.inPlace) return undefined;
  if (isShared(input)) return input;
  return isShared(input?.data) ? input.data : undefined;
}

/** The result of a task, or the object that the caller passed. */
const orGiven = (given) => (value) => (value === undefined ? given : value);

/** The input with `parallel: true` in it. */
function withParallel(task, input) {
  if (!task.parallel) {
    throw new InvalidArgValueError(`Task '${task.name}' is done by one thread; leave "options.parallel" out`);
  }
  return isOptions(input) ? { ...input, parallel: true } : { data: input, parallel: true };
}

/** Makes ready what the task will need on this side. The input was read by `readOnce`. */
function prepareFor(task, input) {
  if (task.wakesPlain && isShared(input?.buffer)) wakePlainWaiters(SharedBuffer.from(input.buffer).buffer);
}

/**
 * The same for the inputs of one `map`; `all` is changed where they are to be done in parallel.
 *
 * @param {NativeTask} task
 * @param {import('./pending').Pending} [pending] transforms its outputs, of which some are objects that the caller passed
 */
function prepareForAll(task, all, parallel, pending) {
  if (isLookedInto(task)) all.forEach((input, i) => (all[i] = readOnce(task, input)));
  if (pending !== undefined && task.inPlace) {
    const given = all.map((input) => givenBack(task, input));
    pending.through((outputs) => outputs.map((output, i) => (output === undefined ? given[i] : output)));
  }
  if (parallel) all.forEach((input, i) => (all[i] = withParallel(task, input)));
  if (task.wakesPlain) all.forEach((input) => prepareFor(task, input));
}

module.exports = { givenBack, orGiven, prepareFor, prepareForAll, readOnce, withParallel };
