'use strict';

/**
 * A worker's task that gives its result in parts: a function of the script returns a generator, or anything else that can be
 * iterated, and each value goes to the owner as an event of its own. The owner says how many parts may be given
 * (lib/pool/parts.js): some with the task, and more as its consumer takes them.
 *
 * When the task is to stop, the iterator's `return()` is called, also while a value is awaited: so the `finally` of a generator
 * runs.
 *
 * Nothing but the awaited value keeps a task that awaits one: unsettled.js finds out when that value can never come. A
 * task that waits for its owner is kept, and is none that unsettled.js looks after.
 */

const { EVENTS, REASONS } = require('../constants');
const { deliveryOf } = require('../delivery');
const { binding } = require('../native');
const { notTooDeep } = require('./too-deep');

const { Job, stopError } = require('./task');

const { prototype: JOB } = Job;

/** Stands for the end of a task that was to stop. */
const STOPPED = Object.freeze({});

class PartTask {
  #runner;
  #job;
  #left;
  #iterator;
  #isAsync;
  /** Why the task is to stop; 0: it is not. */
  #stopReason = 0;
  /** Ends what the task waits for: its owner, or a value of the iterator. */
  #wake;
  /** Of the whole task. */
  #promise;

  constructor(runner, job, ahead) {
    this.#runner = runner;
    this.#job = job;
    this.#left = ahead;
    const self = new WeakRef(this);
    job.grant = (count) => self.deref()?.grant(count);
    job.abort = (reason) => {
      JOB.abort.call(job, reason);
      self.deref()?.stop(reason);
    };
  }

  /** The owner takes so many parts more. */
  grant(count) {
    this.#left += count;
    if (this.#job.kept !== undefined) this.#wake();
  }

  /** @param {number} reason one of REASONS */
  stop(reason) {
    this.#stopReason = reason;
    this.#wake?.(STOPPED);
  }

  /** @returns {Promise<unknown>} what the iterator returns */
  begin(result) {
    this.#promise = this.#run(result);
    return this.#promise;
  }

  async #run(given) {
    // Also where it is there already: the runner has to know the task first.
    const result = await given;
    [this.#iterator, this.#isAsync] = iteratorOf(result);
    let step = await this.#next();
    while (step !== STOPPED) {
      if (step.done) return step.value;
      try {
        this.#runner.answers.part(this.#job, step.value);
      } catch (error) {
        step = await this.#refused(notTooDeep(error, 'a part of the result'));
        continue;
      }
      this.#left--;
      step = await this.#next();
    }
    await this.#iterator.return?.();
    // Its owner has not left it, as otherwise.
    if (this.#stopReason === REASONS.POOL_CLOSED) throw stopError(REASONS.POOL_CLOSED);
    return undefined;
  }

  /** The next part, once the owner takes one. */
  async #next() {
    while (this.#left <= 0 && !this.#shouldStop()) await this.#granted();
    if (this.#shouldStop()) return STOPPED;
    try {
      return await this.#stepOf(this.#iterator.next());
    } catch (error) {
      // Nobody asks any more for what it was about to give.
      if (this.#shouldStop()) return STOPPED;
      throw error;
    }
  }

  #shouldStop() {
    // It may be in the middle of a loop, where no event comes.
    if (this.#stopReason === 0) this.#stopReason = this.#job.stopReason(binding);
    return this.#stopReason !== 0;
  }

  /** Where a part cannot cross, its `yield` throws the error. */
  async #refused(error) {
    const iterator = this.#iterator;
    if (typeof iterator.throw === 'function') return this.#stepOf(iterator.throw(error));
    await iterator.return?.();
    throw error;
  }

  /** As `for await` reads an iterator of either kind. */
  async #stepOf(asked) {
    const step = this.#isAsync ? await this.#orStopped(asked) : asked;
    if (step === STOPPED) return STOPPED;
    // One that gives `undefined` for ever would have no end.
    if (!isObject(step)) throw new TypeError(`Iterator result ${String(step)} is not an object`);
    const { done, value } = step;
    const given = this.#isAsync || !isThenable(value) ? value : await this.#orStopped(value);
    return given === STOPPED ? STOPPED : { done, value: given };
  }

  /** The value of a promise, unless the task is to stop before. */
  async #orStopped(promise) {
    try {
      return await new Promise((resolve, reject) => {
        this.#wake = resolve;
        Promise.resolve(promise).then(resolve, reject);
      });
    } finally {
      this.#wake = undefined;
    }
  }

  async #granted() {
    const job = this.#job;
    job.kept = this;
    job.promise = undefined;
    await new Promise((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    job.kept = undefined;
    job.promise = this.#promise;
    this.#runner.calls.lookLater();
  }
}

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
const isThenable = (value) => isObject(value) && typeof value.then === 'function';

function checked(iterator) {
  if (isObject(iterator) && typeof iterator.next === 'function') return iterator;
  throw new TypeError('The result of the function gave an iterator that has no function `next`');
}

/**
 * @param {unknown} result of the script's function
 * @returns {[iterator: object, isAsync: boolean]}
 */
function iteratorOf(result) {
  if (typeof result === 'object' && result !== null) {
    const asynchronous = result[Symbol.asyncIterator];
    if (typeof asynchronous === 'function') return [checked(Reflect.apply(asynchronous, result, [])), true];
    const synchronous = result[Symbol.iterator];
    if (typeof synchronous === 'function') return [checked(Reflect.apply(synchronous, result, [])), false];
  }
  const { UnsupportedValueError } = require('../errors');
  const { describe } = require('../validators');
  throw new UnsupportedValueError(
    `The function returned ${describe(result)}, which has no parts. Give a result as a whole by run(), or return a generator`,
  );
}

/**
 * @param {import('./runner').Runner} runner
 * @param {import('./task').Job} job
 * @param {Function | symbol} run what to call with the input
 * @param {number} ahead how many parts may be given before the owner says that it takes more
 */
function inParts(runner, job, run, ahead) {
  deliveryOf(binding).handler(EVENTS.SCRIPT_GRANT, () => ({ deliver: (id, count) => runner.open.get(id)?.grant?.(count) }));
  return (input) => {
    // Scripts that listen for messages give one answer.
    if (typeof run !== 'function') throw runner.unknownFunction('');
    return new PartTask(runner, job, ahead).begin(run(input));
  };
}

module.exports = { inParts };
