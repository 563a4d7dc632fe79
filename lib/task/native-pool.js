'use strict';

const { followActions } = require('../abort');
const { hadStarted, isError, takeError } = require('../answer-errors');
const { CANCELLED_TASK, REASONS } = require('../constants');
const { DeadlineError, errorFromCode, PoolClosedError } = require('../errors');
const { append } = require('../runtime/intrinsics');
const { BUILT_IN } = require('./native-task-facts');
const { readValue } = require('./read-value');

const { WAITED } = CANCELLED_TASK;
const { CANCELLED } = REASONS;

/** Told to `closePool`: whether running tasks are stopped, and whether an event comes once the pool has closed. */
const GRACEFULLY = false;
const BY_FORCE = true;
const ANNOUNCED = true;
const UNANNOUNCED = false;

/** The look of a pool that watches nothing. */
const isSeen = () => true;

/**
 * The native side of a pool, as the delivery and the pending tasks know it. It does not refer to the `WorkerPool`, which
 * may thus be collected while tasks are under way, and is closed when it was forgotten.
 *
 * Each task of each kind is counted here twice: in `inFlight` when `Delivery.add` takes it, and when the delivery releases
 * it. What is told of tasks does not go by that: times and traces are recorded by the native side, also those of answers that are
 * delivered (src/node/round_trips.rs), and diagnostics_channel by the calls of the pool.
 */
class NativePool {
  /** The number by which the native side knows the pool. */
  handle;
  /** What `process.getActiveResourcesInfo()` shows for each of its tasks. */
  resource = 'RustWorkersTask';
  /** The native tasks that it knows. */
  tasks = BUILT_IN;
  /** Tasks submitted and not answered. */
  inFlight = 0;
  /** Whether its tasks keep the event loop alive. */
  holds = true;
  /** Whether others may have it open too: `WorkerPool.open`. */
  isShared = false;
  /** What other addons submit by (lib/pool/engine.js), once it was asked for: then they fill the queue too. */
  engine = undefined;
  /** Of a pool whose order can be repeated: lets a task begin (lib/pool/deterministic.js). */
  step = undefined;
  /** Called after each batch while the delivery watches this pool; true ends the watch. */
  look = isSeen;
  /** Is told when it has tasks under way, and when it has none any more, while somebody listens to the pool (lib/pool/kept.js). */
  keeper = undefined;
  /** Whether this thread is blocked just now: then nothing of the user's may run. */
  isBlocked = false;

  /** Of a pool with a script: runs a function of it for a native task that calls it (lib/pool/native-calls.js). */
  runCalled = undefined;

  #binding;
  /** The errors of the tasks that were dropped when it was destroyed, by the task's name. */
  #dropped = new Map();
  /** Tasks to be cancelled together, while a signal ends them. */
  #toCancel;

  constructor(binding, handle) {
    this.#binding = binding;
    this.handle = handle;
  }

  /** Delivers the events that the native side has queued by now. */
  catchUp() {
    if (this.isBlocked) this.#binding.waitForEvents(0);
    else this.#binding.drain();
  }

  /**
   * Reads the answer to one of its tasks, with the classes of this copy of the package.
   *
   * @throws the task's error
   */
  readAnswer(form, number, source, task) {
    if (isError(form)) throw this.readError(form, number, source, task);
    return readValue(form, number, source, task);
  }

  /** Reads an answer for which `isError` holds, and does not throw it: that would cost more than all the rest. */
  readError(form, number, source, task) {
    const [code, message] = takeError(form, number, source);
    if (code === DeadlineError.code) return errorFromCode(code, message, { task, started: hadStarted(number) });
    if (code !== PoolClosedError.code) return errorFromCode(code, message, { task });
    // There may be a million of them: one for all of that name, as for all of one signal.
    let error = this.#dropped.get(task);
    if (error?.message !== message) this.#dropped.set(task, (error = errorFromCode(code, message, { task })));
    return error;
  }

  /**
   * Stops one of its tasks.
   *
   * @param {number} id
   * @param {number} reason one of REASONS
   * @returns {boolean} whether it had started, as far as that is known now
   */
  cancel(id, reason) {
    if (reason !== CANCELLED || !this.#cancelsLater()) {
      const found = this.#binding.cancel(id, reason);
      this.#expectEnd(found, id);
      return found !== WAITED;
    }
    append(this.#toCancel, id);
    return true;
  }

  /** Whether a signal's tasks are being ended: then they are cancelled together. */
  #cancelsLater() {
    if (this.#toCancel !== undefined) return true;
    if (!followActions(this.#cancelAll)) return false;
    this.#toCancel = [];
    return true;
  }

  #cancelAll = () => {
    const ids = new Float64Array(this.#toCancel);
    this.#toCancel = undefined;
    this.cancelAll(ids);
  };

  /**
   * Stops many of its tasks.
   *
   * @param {Float64Array} ids
   */
  cancelAll(ids) {
    const running = this.#binding.cancelAll(ids);
    for (let i = 0; i < running.length; i += 2) this.#expectEnd(running[i + 1], running[i]);
  }

  #expectEnd(worker, id) {
    if (worker >= 0) this.workers.expectEnd(worker, id);
  }
}

module.exports = { ANNOUNCED, BY_FORCE, GRACEFULLY, NativePool, UNANNOUNCED, isSeen };
