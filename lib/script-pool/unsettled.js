'use strict';

/**
 * Tasks whose promise nothing can settle any more. Where an event loop has nothing left, Node ends a program that awaits such a
 * promise, with exit code 13. A worker goes on, since the pool may have more tasks for it; so the task would never end.
 *
 * What keeps no event loop alive may settle a promise all the same: a timer without its reference, `Atomics.waitAsync`, the
 * caller's signal, another task. All of these refer to the promise. So a task is only given up when its promise cannot be
 * reached from anywhere: then nobody can settle it. For others that wait for long, a warning says so, once.
 *
 * To find out costs a collection of all garbage. So it is done where a task has waited for a second or more and the event loop
 * has nothing left, and no more often than twice a minute once it was in vain.
 */

const { setImmediate } = require('../runtime/clock');
const { deliveryOf } = require('../delivery');
const { TaskFailedError } = require('../errors');
const { canCollect, collectGarbage } = require('../runtime/garbage');
const { onLoopEnd } = require('../runtime/loop-end');
const { binding } = require('../native');
const { WATCHED } = require('./task');

/** The stage of a watched task whose promise was found to be within reach. Before a task is watched it has been seen. */
const REACHABLE = WATCHED + 1;

/** Milliseconds between two looks once one was in vain. */
const LATE = 30_000;

class UnsettledTasks {
  /** Milliseconds between two looks; undefined: as at first. A task is watched from the second look on. */
  wait = undefined;

  #runner;
  #script;
  /** While the event loop may end: takes back that we are told. */
  #takeBack;
  #warned = false;

  /**
   * @param {import('./runner').Runner} runner
   * @param {string} script its URL
   */
  constructor(runner, script) {
    this.#runner = runner;
    this.#script = script;
  }

  /** Tasks that have waited since the last look are watched. */
  look() {
    if (!canCollect || this.#takeBack !== undefined) return;
    const { open } = this.#runner;
    let some = false;
    let watched = false;
    for (const job of open.values()) {
      if (job.promise === undefined) continue;
      some = true;
      if (job.stage < WATCHED) job.stage++;
      if (job.stage >= WATCHED) watched = true;
    }
    if (watched) this.#letLoopEnd();
    else if (some) this.#runner.calls.lookLater();
  }

  /** A watched task has ended. */
  ended() {
    for (const job of this.#runner.open.values()) if (job.stage >= WATCHED) return;
    this.#keepLoop();
    if (this.#runner.open.size > 0) this.#runner.calls.lookLater();
  }

  /** The pool does not hold the event loop any more; it tells when nothing else does. */
  #letLoopEnd() {
    deliveryOf(binding).hold(-1);
    this.#takeBack = onLoopEnd(() => this.#judge());
  }

  #keepLoop() {
    if (this.#takeBack === undefined) return;
    this.#takeBack();
    this.#takeBack = undefined;
    deliveryOf(binding).hold(1);
  }

  /** Nothing keeps the event loop alive but us. */
  #judge() {
    this.#keepLoop();
    const promises = new Map();
    for (const job of this.#runner.open.values()) {
      if (job.stage < WATCHED) continue;
      promises.set(job, new WeakRef(job.promise));
      job.promise = undefined;
    }
    if (promises.size === 0) return;
    // In another turn: until then V8 keeps what a WeakRef was made for.
    setImmediate(() => this.#giveUp(promises));
  }

  #giveUp(promises) {
    const isKnown = collectGarbage();
    const { open } = this.#runner;
    for (const [job, reference] of promises) {
      if (!open.has(job.id)) continue;
      const promise = reference.deref();
      if (promise === undefined) {
        this.#runner.fail(job, neverSettles());
        continue;
      }
      job.promise = promise;
      if (!isKnown) continue;
      this.wait = LATE;
      // Its caller may end what waits for that.
      if (job.stage === REACHABLE && !job.hasSignal) this.#warn();
      job.stage = REACHABLE;
    }
    if (open.size > 0) this.#runner.calls.lookLater();
  }

  #warn() {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `A task of the script ${this.#script} has waited ${LATE / 1000} s for its promise, and nothing keeps the event loop of ` +
        'its worker alive: see that whoever has the promise settles it, and give the task a `timeout`',
      'RustWorkersWarning',
    );
  }
}

function neverSettles() {
  return new TaskFailedError(
    'The task returned a promise that nothing can settle: no timer, request or other work is left that refers to it. ' +
      'See that each promise that it awaits is resolved or rejected',
  );
}

module.exports = { UnsettledTasks };
