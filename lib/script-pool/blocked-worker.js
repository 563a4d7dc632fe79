'use strict';

/**
 * A worker's thread while it is blocked by `task.pool.runSync`. The answer comes from the pool's owner, by Node's port, which is read
 * here; an event of the worker's queue wakes it then (nested-tasks.js). What else comes by the port waits, in its order, for a turn of the
 * event loop: it may run code of the program, which is in the middle of something.
 *
 * Between two slices of the wait it looks whether the task that blocks should stop, as nothing else can tell it.
 */

const { receiveMessageOnPort } = require('node:worker_threads');

const { setImmediate } = require('../runtime/clock');
const { binding } = require('../native');
const { PoolClosedError } = require('../errors');
const { SLICE, interruptCheck } = require('../task/blocking');
const { NESTED_ANSWER, NESTED_OVER, SHUT_DOWN } = require('./owner-messages');
const { stopError } = require('./task');

class BlockedWorker {
  #runner;
  #control;
  /** What has come and was not told: `{ message }` or `{ error }` each. */
  #kept = [];
  #isTelling = false;

  /**
   * @param {import('./runner').Runner} runner
   * @param {MessagePort} control of Node's, to the owner of the pool
   */
  constructor(runner, control) {
    this.#runner = runner;
    this.#control = control;
  }

  /**
   * Blocks until the outcome is there.
   *
   * @param {import('../task/blocking').Outcome} outcome
   * @param {import('../task/pending').Pending} pending whose outcome it is
   * @param {import('./task').Job | undefined} job that blocks
   */
  until(outcome, pending, job) {
    while (!outcome.isSettled) {
      const reason = job?.stopReason(binding) ?? 0;
      if (reason !== 0) return pending.end(stopError(reason));
      const time = Math.min(SLICE, outcome.untilLimit());
      if (outcome.isSettled) return;
      binding.waitForEvents(time);
      interruptCheck();
      this.#read(pending);
    }
  }

  #read(pending) {
    for (;;) {
      let received;
      try {
        received = receiveMessageOnPort(this.#control);
      } catch (error) {
        this.#kept.push({ error });
        continue;
      }
      if (received === undefined) return;
      const { message } = received;
      const [kind, number] = message;
      const isIts = (kind === NESTED_ANSWER || kind === NESTED_OVER) && number === pending.id;
      if (isIts) this.#runner.ownPool.told(message);
      else this.keep(message);
      if (kind === SHUT_DOWN) pending.end(new PoolClosedError('the pool was destroyed while the task ran'));
    }
  }

  /** A message that must not come before those which wait. */
  keep(message) {
    if (this.#kept.length === 0) setImmediate(() => this.tell());
    this.#kept.push({ message });
  }

  /** Whether a message that has come now is to wait for those before it. */
  get isBehind() {
    return this.#kept.length > 0 && !this.#isTelling;
  }

  /** Tells what has waited. */
  tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#kept.length > 0) {
        const { message, error } = this.#kept.shift();
        if (message === undefined) this.#runner.unreadable(error);
        else this.#runner.heard(message);
      }
    } finally {
      this.#isTelling = false;
      if (this.#kept.length > 0) setImmediate(() => this.tell());
    }
  }
}

module.exports = { BlockedWorker };
