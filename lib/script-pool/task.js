'use strict';

/**
 * The running task, for its own code: `const { task } = require('rust-workers')`.
 *
 * The runner of this environment hangs on the binding, so that every copy of this file finds it.
 */

const { types } = require('node:util');

const { RUNNER } = require('../native');
const nodeGlobals = require('../runtime/globals');


const { TIMED_OUT, POOL_CLOSED, DEADLINE_PASSED } = require('../constants').REASONS;

/** Why a task should stop. */
function stopError(reason) {
  // Not before: a worker starts sooner without.
  const { DeadlineError, TaskCancelledError, TaskTimeoutError, PoolClosedError } = require('../errors');
  if (reason === TIMED_OUT) return new TaskTimeoutError("the task's time is up");
  if (reason === DEADLINE_PASSED) return new DeadlineError("the task's deadline has passed", { started: true });
  if (reason === POOL_CLOSED) return new PoolClosedError('the pool was destroyed while the task ran');
  return new TaskCancelledError('the task was cancelled');
}

class Task {
  #binding;

  constructor(binding) {
    this.#binding = binding;
  }

  get #runner() {
    return this.#binding[RUNNER];
  }

  get #job() {
    return this.#runner?.current;
  }

  /** Aborts when the task should stop; its reason says why. Outside a task: undefined. */
  get signal() {
    return this.#job?.signalFrom(this.#binding);
  }

  /** The pool of the running task, for tasks of its own; undefined outside of a pool's worker, and while the script is loaded. */
  get pool() {
    return this.#runner?.ownPool;
  }

  /** Whether the task should stop. True as soon as its caller says so, also in the middle of a loop. */
  get cancelled() {
    const job = this.#job;
    return job !== undefined && job.stopReason(this.#binding) !== 0;
  }

  /** @throws the error that says why the task should stop, if it should */
  throwIfCancelled() {
    const reason = this.#job?.stopReason(this.#binding) ?? 0;
    if (reason !== 0) throw stopError(reason);
  }

  /** When the task must have ended; undefined where it has no deadline, and outside a task. */
  get deadline() {
    const moment = this.#job?.deadline;
    return moment === undefined ? undefined : new Date(Date.now() + moment - require('../runtime/clock').now());
  }

  /** Tells the caller how far the task is: its `onProgress` gets a copy of the value. */
  progress(value) {
    const job = this.#job;
    if (job !== undefined) this.#runner.report(job, value);
  }

  /** The number of the worker within its pool, from 0; undefined outside a script pool. */
  get workerId() {
    return this.#runner?.workerId;
  }

  [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspectValue) {
    const stateOf = () => {
      const job = this.#job;
      const running = job === undefined ? undefined : true;
      return { workerId: this.workerId, running, cancelled: running && this.cancelled, deadline: this.deadline };
    };
    // Not before: a worker starts sooner without.
    return require('../inspection').lineOf(this, stateOf, options, inspectValue);
  }
}

/** A task that has waited for long is watched: see unsettled.js, which also knows the stages before and after. */
const WATCHED = 2;

/** One running task. */
class Job {
  /** Set by a script's `postMessage` while its message is still being handled. */
  answered = false;
  /** What its function has returned, where that is a promise. */
  promise = undefined;
  /** What is known of it as it takes long: see unsettled.js. */
  stage = 0;
  id;
  stoppable;
  #stop;

  constructor(id, stoppable) {
    this.id = id;
    this.stoppable = stoppable;
  }

  stopReason(binding) {
    return this.stoppable ? binding.scriptStop(this.id) : 0;
  }

  signalFrom(binding) {
    if (this.#stop === undefined) {
      this.#stop = new nodeGlobals.AbortController();
      const reason = this.stopReason(binding);
      if (reason !== 0) this.abort(reason);
    }
    return this.#stop.signal;
  }

  /** Whether its code has asked for the signal. */
  get hasSignal() {
    return this.#stop !== undefined;
  }

  /** The task should stop. */
  abort(reason) {
    this.#stop?.abort(stopError(reason));
  }
}

/** What few tasks have ever set. On the prototype: each task has an object of its own, which would be twice as large. */
Object.assign(Job.prototype, {
  /** How many listeners its message has that did not fail. */
  listeners: 0,
  /** When they were through with it and had not answered. */
  unansweredSince: 0,
  /** What the tasks get that it submits: its deadline, a moment of the clock of runtime/clock.js; and its priority. */
  deadline: undefined,
  priority: 0,
  /** How many tasks it waits for that it has submitted to its own pool; whether it has submitted any; whether it has ended since. */
  waitsFor: 0,
  /** The same of a task that answers a message, which keeps its place meanwhile. */
  holds: 0,
  nests: false,
  isOver: false,
  /** Of a task that tells its output too: how it tells how far it is. */
  reported: undefined,
  /** Whether of its reports only the latest is wanted. */
  reportsLatest: false,
});

/** On the prototype: the script's copy of the package need not be the worker's. */
const MOVED = Symbol.for('rust-workers.moved');

/** A result to be moved instead of copied: what `move` returns (see transfer.js). */
class Moved {
  /** Whether it is one, of any copy. */
  static is(value) {
    return typeof value === 'object' && value !== null && !types.isProxy(value) && value[MOVED] === true;
  }

  value;
  list;

  /**
   * @param {unknown} value
   * @param {readonly object[]} list
   */
  constructor(value, list) {
    this.value = value;
    this.list = list;
  }
}

Object.defineProperty(Moved.prototype, MOVED, { value: true });

module.exports = { Job, Moved, Task, WATCHED, stopError };
