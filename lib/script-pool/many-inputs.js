'use strict';

/**
 * In a worker: functions that run a script's function over many inputs in one task. `forEach` drops the results there, and `reduce` passes
 * each on to the next call.
 *
 * An input that fails is named by an InputFailedError, with the number that the input has for the caller. Between inputs the loop looks
 * whether its task should stop: after each, or after some where they are quick. It awaits a promise before it goes on.
 */

const { types } = require('node:util');

const { binding } = require('../native');
const { inputFailed } = require('../flow/outcomes');
const { now } = require('../runtime/clock');
const { stopError } = require('./task');

/** Inputs between two looks at the most, and how many milliseconds may pass for that many. */
const MOST_BETWEEN = 32;
const QUICK = 0.1;

const isThenable = (value) =>
  typeof value === 'object' && value !== null && (types.isPromise(value) || typeof value.then === 'function');

/**
 * Calls `step(index)` for each index below `count`, in order; `used` gets what each returned.
 *
 * @returns {undefined | Promise<void>} a promise, from the first step on that returned one
 */
function forIndexes(job, count, first, task, step, used) {
  let index = 0;
  let between = 1;
  let nextLook = 0;
  let lookedAt = now();
  const look = () => {
    const reason = job.stopReason(binding);
    if (reason !== 0) throw stopError(reason);
    const time = now();
    between = time - lookedAt < QUICK ? Math.min(MOST_BETWEEN, between * 2) : 1;
    lookedAt = time;
    nextLook = index + between;
  };
  const failed = (error) => {
    throw inputFailed(error, first + index, task);
  };
  const run = () => {
    for (; index < count; index++) {
      if (index >= nextLook) look();
      let result;
      let promise;
      try {
        result = step(index);
        if (isThenable(result)) promise = Promise.resolve(result);
      } catch (error) {
        failed(error);
      }
      if (promise !== undefined) {
        return promise.then((value) => {
          used(value);
          index++;
          return run();
        }, failed);
      }
      used(result);
    }
    return undefined;
  };
  return run();
}

/** The result once a loop is through. */
const after = (loop, result) => (loop === undefined ? result() : loop.then(result));

/**
 * `forEach`: the input is the number of the first one, and an array of inputs; the result is how many they are.
 *
 * @param {import('../script-pool/task').Job} job
 * @param {Function} run
 * @param {string} task the function's name
 */
const each = (job, run, task) => ([first, inputs]) =>
  after(forIndexes(job, inputs.length, first, task, (i) => run(inputs[i]), () => {}), () => inputs.length);

/**
 * `reduce`: the input is the number of the first value, the values, and perhaps the accumulator to begin with; the result is the last
 * accumulator.
 */
const reduce = (job, run, task) => ([first, values, ...initial]) => {
  let [accumulator] = initial.length > 0 ? initial : values;
  const from = initial.length > 0 ? 0 : 1;
  const step = (i) => run(accumulator, values[from + i], first + from + i);
  const loop = forIndexes(job, values.length - from, first + from, task, step, (value) => {
    accumulator = value;
  });
  return after(loop, () => accumulator);
};

module.exports = { each, reduce };
