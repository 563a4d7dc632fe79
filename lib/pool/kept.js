'use strict';

/**
 * Keeps a pool that nobody has any more but a listener, while the event that it waits for comes by itself: `await once(pool, 'drain')`.
 *
 * A pool that was forgotten is closed, also where it has listeners: its native side and its workers refer to it weakly. So an event that is
 * still to come needs somebody who has the pool. That is this object, which its native side and the manager of its workers have:
 *
 * - while a worker starts: its outcome is still to be told;
 * - while tasks are under way, or a worker is ending, and somebody listens to an event that may come of that;
 * - while more workers live than are kept, which end when they have been idle for long enough, and somebody listens to 'workerDestroy'.
 *
 * Each of these ends by itself, and the pool would not close before; but for the last, whose time is `idleTimeout`. Nothing here keeps the
 * event loop alive.
 */

/** The events that may come of tasks and of the end of workers. */
const EVENTS = ['drain', 'workerCreate', 'workerDestroy', 'message', 'messageerror', 'error'];
const END = 'workerDestroy';

const KNOWN = new Set(EVENTS);

class Kept {
  #pool;
  /** The pool, while it is kept. */
  #kept;
  /** Its native sides, and the managers of the workers. */
  #natives = [];
  #managers = [];
  /** Whether somebody listens to one of the events; and to the end of workers. */
  #listens = false;
  #awaitsEnd = false;

  /** @param {import('./worker-pool').WorkerPool} pool */
  constructor(pool) {
    this.#pool = new WeakRef(pool);
  }

  /**
   * @param {import('../task/native-pool').NativePool} native one of the pool's native sides
   * @param {import('../script-pool/worker-manager').WorkerManager} [workers] its workers
   */
  add(native, workers) {
    this.#natives = [...this.#natives, native];
    if (workers !== undefined) this.#managers = [...this.#managers, workers];
    this.#tellNatives();
  }

  /** Tells whether somebody listens only to those who would look for that. */
  #tellNatives() {
    for (const native of this.#natives) native.keeper = this.#listens ? this : undefined;
  }

  /** A listener to this event (undefined: any) has come or gone. */
  listened(event) {
    if (event !== undefined && !KNOWN.has(event)) return;
    const pool = this.#pool.deref();
    this.#listens = EVENTS.some((name) => pool.listenerCount(name) > 0);
    this.#awaitsEnd = pool.listenerCount(END) > 0;
    this.#tellNatives();
    this.look();
  }

  /** A task is about to be under way, where none was, and somebody listens. */
  keep() {
    this.#kept = this.#pool.deref();
  }

  /** Something of what it depends on may have changed. */
  look() {
    // Whoever emits next, in this turn, has it still.
    const pool = this.#pool.deref();
    this.#kept = this.#isNeeded() ? pool : undefined;
  }

  #isNeeded() {
    for (const workers of this.#managers) {
      if (workers.isStartingOne || (this.#listens && workers.isEndingOne) || (this.#awaitsEnd && workers.hasSurplus)) return true;
    }
    return this.#listens && this.#natives.some(({ inFlight }) => inFlight > 0);
  }
}

module.exports = { Kept };
