'use strict';

/**
 * In a worker: a script's function over many inputs in one task. `forEach` drops the results here, and `reduce` gives each to the next
 * call.
 *
 * An input that fails is named by an InputFailedError, with the number that the input has for the caller. Between inputs the loop looks
 * whether its task should stop: after each, or after some where they are quick. It awaits a promise before it goes on; where a worker may
 * run several tasks at once, so many inputs of a `forEach` are under way.
 */

const { types } = require('node:util');

const { inputFailed } = require('../flow/outcomes');
const { now } = require('../runtime/clock');
const { binding } = require('../native');
const { stopError } = require('./task');

/** Inputs between two looks at the most, and how many milliseconds they may take. */
const MOST_BETWEEN = 32;
const QUICK = 0.1;

/** Tells a loop that its task should stop. */
class StopLook {
  #job;
  #between = 1;
  #left = 0;
  #lookedAt = now();

  constructor(job) {
    this.#job = job;
  }

  /** @throws the error that says why the task should stop */
  beforeNext() {
    if (--this.#left >= 0) return;
    const reason = this.#job.stopReason(binding);
    if (reason !== 0) throw stopError(reason);
    const time = now();
    this.#between = time - this.#lookedAt < QUICK ? Math.min(MOST_BETWEEN, this.#between * 2) : 1;
    this.#lookedAt = time;
    this.#left = this.#between - 1;
  }
}

/** A promise for what a function has returned; undefined when that is the result itself. */
function promiseOf(result) {
  if (typeof result !== 'object' || result === null) return undefined;
  if (types.isPromise(result)) return result;
  return typeof result.then === 'function' ? Promise.resolve(result) : undefined;
}

/**
 * @param {import('./runner').Runner} runner
 * @param {import('./task').Job} job
 * @param {Function | symbol} run
 * @param {boolean} isEach whether for `forEach`, and not for `reduce`
 * @returns {(input: unknown[]) => unknown}
 */
function overMany(runner, job, run, isEach) {
  if (typeof run !== 'function') {
    return () => {
      throw runner.unknownFunction('');
    };
  }
  const stop = new StopLook(job);
  return isEach ? (input) => each(run, stop, runner.concurrency, ...input) : (input) => reduce(run, stop, ...input);
}

/** Calls the function for each input; the result is how many they are. */
function each(run, stop, concurrency, first, inputs) {
  const { length } = inputs;
  let next = 0;
  const failed = (error, index) => {
    next = length;
    throw inputFailed(error, first + index, run.name);
  };
  /** One input after the other: a promise from the first on that returns one. */
  const goOn = () => {
    while (next < length) {
      stop.beforeNext();
      const index = next++;
      let promise;
      try {
        promise = promiseOf(run(inputs[index]));
      } catch (error) {
        failed(error, index);
      }
      if (promise !== undefined) return promise.then(goOn, (error) => failed(error, index));
    }
    return undefined;
  };
  const lanes = [];
  for (let lane = 0; lane < concurrency && next < length; lane++) {
    const promise = goOn();
    if (promise !== undefined) lanes.push(promise);
  }
  return lanes.length === 0 ? length : Promise.all(lanes).then(() => length);
}

/** Calls the function with the accumulator and each value; the result is the last accumulator. */
function reduce(run, stop, first, values, ...initial) {
  let next = 1 - initial.length;
  let accumulator = initial.length > 0 ? initial[0] : values[0];
  const failed = (error) => {
    throw inputFailed(error, first + next, run.name);
  };
  const goOn = () => {
    for (; next < values.length; next++) {
      stop.beforeNext();
      let result;
      let promise;
      try {
        result = run(accumulator, values[next], first + next);
        promise = promiseOf(result);
      } catch (error) {
        failed(error);
      }
      if (promise !== undefined) {
        return promise.then((value) => {
          accumulator = value;
          next++;
          return goOn();
        }, failed);
      }
      accumulator = result;
    }
    return accumulator;
  };
  return goOn();
}

module.exports = { overMany };
