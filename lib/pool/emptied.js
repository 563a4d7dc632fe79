'use strict';

/**
 * 'drain' in a pool without `maxQueue`: emitted when no task waits any more, after more tasks were under way than the pool can run at
 * once. Only while somebody listens does anything look for that, and then once for each batch of answers.
 *
 * Whether tasks waited is not seen by looking at the queue alone: a burst of tasks may come and go between two looks. So the
 * most tasks that were under way count, which is how many there were before a batch was delivered.
 */

const { deliveryOf } = require('../delivery');
const { binding } = require('../native');
const { nextTick } = require('../runtime/globals');

const delivery = deliveryOf(binding);

class Emptied {
  #pool;
  #native;
  #watched = false;
  /** Whether tasks have waited since the last event. */
  #waited = false;
  /** How many tasks were under way after the last look. */
  #left = 0;

  /**
   * @param {import('./worker-pool').WorkerPool} pool
   * @param {import('../task/native-pool').NativePool} native
   */
  constructor(pool, native) {
    // A pool that was forgotten is closed, also where it has listeners.
    this.#pool = new WeakRef(pool);
    this.#native = native;
  }

  /** Somebody listens. */
  watch() {
    this.isFull();
    if (this.#watched) return;
    this.#watched = true;
    this.#left = this.#native.inFlight;
    delivery.watch(this);
  }

  /** Whether tasks wait now: then 'drain' follows, if somebody listens. */
  isFull() {
    const waits = this.#queued() > 0;
    if (waits) this.#waited = true;
    return waits;
  }

  #queued() {
    return binding.poolCounters(this.#native.handle)?.queued ?? 0;
  }

  /** Called before each batch is delivered. */
  before() {
    const { inFlight } = this.#native;
    // Those that are left may all be done: their answers come in several batches.
    if (this.#waited || inFlight <= this.#left) return;
    const pool = this.#pool.deref();
    if (pool === undefined) return;
    const { maxThreads, concurrentTasksPerWorker = 0 } = pool.options;
    if (inFlight > maxThreads * (1 + concurrentTasksPerWorker)) this.#waited = true;
  }

  /** Called after each batch; true ends the watch. */
  look() {
    this.#left = this.#native.inFlight;
    const pool = this.#pool.deref();
    if (pool !== undefined && !this.isFull() && this.#waited) {
      this.#waited = false;
      nextTick(() => pool.emit('drain'));
    }
    this.#watched = pool !== undefined && pool.listenerCount('drain') > 0 && (this.#waited || !pool.closed);
    return !this.#watched;
  }
}

module.exports = { Emptied };
