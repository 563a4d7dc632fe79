'use strict';

/** One task under way that may end early, reports, or must be rejected here: its promise's functions, and what ends it. */

const { AsyncResource } = require('node:async_hooks');

const { onAbort } = require('./abort');
const { clearTimeout, setImmediate, setTimeout } = require('./clock');
const { abortError, TaskTimeoutError } = require('./errors');
const FORMS = require('./forms');
const { throwUncaught } = require('./turn');
const { callUser } = require('./user-code');

class Pending {
  /** Given by `Delivery.add`. */
  id = 0;
  /** Whether it was rejected before its answer came: then nobody waits for that. */
  ended = false;
  pool;
  task;

  #settled = false;
  #resolve;
  #reject;
  #timer;
  /** The time limit, in milliseconds. */
  #timeout;
  #ignoreSignal;
  /** Told how far the task is, and the async context in which it is. */
  #onProgress;
  #context;

  /**
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {import('./pool/pool-record').PoolRecord} pool
   * @param {string} task its name
   */
  constructor(resolve, reject, pool, task) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.pool = pool;
    this.task = task;
  }

  /** Tells `onProgress` how far the task is, in the async context of this call, whoever delivers the report. */
  listen(onProgress) {
    this.#onProgress = onProgress;
    this.#context = new AsyncResource('rust-workers.task');
  }

  /**
   * Lets a signal or a time limit end it early: the promise is rejected at once, the task stops at its next
   * checkpoint. Before the task is submitted (`ended` tells then that it need not be), or after.
   *
   * @param {{ signal?: AbortSignal, timeout?: number }} terms
   * @param {boolean} [holds] whether the time limit keeps the event loop alive; else the task does, as far as its pool
   *   lets it
   */
  control({ signal, timeout }, holds = false) {
    if (timeout !== undefined) {
      this.#timeout = timeout;
      this.#timer = setTimeout(() => this.#timerEnds(timeout), timeout);
      if (!holds) this.#timer.unref();
    }
    if (signal !== undefined) this.#listenTo(signal);
  }

  #listenTo(signal) {
    try {
      const ignore = onAbort(signal, () => this.end(abortError(signal)));
      if (this.#settled) ignore();
      else this.#ignoreSignal = ignore;
    } catch (error) {
      // It is no signal that can be listened to.
      this.end(error);
    }
  }

  /** A loop that was busy sees its timers before the answers that came in time. */
  #timerEnds(timeout) {
    if (this.id !== 0) this.pool.catchUp?.();
    if (this.#settled) return;
    // A map is settled by what follows from its tasks' answers.
    if (this.pool.settlesLater) setImmediate(() => this.timeUp(timeout));
    else this.timeUp(timeout);
  }

  /** Ends it because it took too long. */
  timeUp(timeout) {
    this.end(this.#timeUpError(timeout), true);
  }

  #timeUpError(timeout) {
    return new TaskTimeoutError(`task '${this.task}' took longer than ${timeout} ms`);
  }

  /** Ends it early. */
  end(error, timedOut = false) {
    if (this.ended) return;
    this.ended = true;
    this.reject(error);
    if (this.id !== 0) this.pool.cancel(this.id, timedOut);
  }

  /** What the caller gets is made of what the task came to. */
  through(change) {
    const resolve = this.#resolve;
    this.#resolve = (value) => resolve(change(value));
  }

  resolve(value) {
    if (this.#settled) return;
    this.#settled = true;
    this.#resolve(value);
    this.#release();
  }

  reject(error) {
    if (this.#settled) return;
    this.#settled = true;
    this.#reject(error);
    this.#release();
  }

  /** Lets go of what could end it. Last, for where the stack is used up: whoever waits has the answer by then. */
  #release() {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#ignoreSignal?.();
    this.#context?.emitDestroy();
  }

  /** The task reports how far it is. */
  report(form, number, delivery) {
    if (this.ended) return delivery.skip(form, number);
    let value;
    try {
      value = this.pool.readAnswer(form, number, delivery, this.task);
    } catch (error) {
      return throwUncaught(error);
    }
    delivery.later(this, 'tell', value);
  }

  /** Gives a report to who wants to know, unless the task was given up. */
  tell(value) {
    if (this.ended || this.#onProgress === undefined) return;
    this.#context.runInAsyncScope(callUser, undefined, this.#onProgress, undefined, value);
  }

  /** The answer has come. */
  settle(form, number, delivery) {
    if (this.ended) return delivery.skip(form, number);
    let value;
    try {
      value = this.pool.readAnswer(form, number, delivery, this.task);
    } catch (error) {
      // The native side saw it first.
      const isOurs = form === FORMS.ERROR || form === FORMS.BESIDE_LATE;
      const isTimeUp = this.#timeout !== undefined && isOurs && error instanceof TaskTimeoutError;
      return this.#come('reject', isTimeUp ? this.#timeUpError(this.#timeout) : error, delivery);
    }
    this.#come('resolve', value, delivery);
  }

  /** After the reports that came before it. */
  #come(method, value, delivery) {
    if (this.#onProgress === undefined) this[method](value);
    else delivery.later(this, method, value);
  }
}

module.exports = { Pending };
