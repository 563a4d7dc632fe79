'use strict';

/**
 * A worker's life around its tasks: how it takes part once its script is loaded, how long it stays idle, and how it ends.
 *
 * It ends in one of three ways: it retires (takes no more tasks but those whose input is here, and ends when its own are done), it is
 * shut down (waits for no task but those that have asked for their signal), or the script could not be loaded.
 */

const { LONGEST_TIMER, now, setImmediate, setTimeout } = require('../runtime/clock');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { REASONS, SCRIPTS } = require('../constants');
const { flushOutput } = require('../runtime/worker-output');

const { IDLE_BLOCK } = SCRIPTS;

/** Milliseconds, at the least, between two questions of an idle worker whether it is kept. */
const KEPT_FOR = 1_000;

class WorkerLife {
  /** Whether it begins no task any more; whether it begins only those whose input is here. */
  leaving = false;
  retiring = false;
  /** Whether it ends without waiting for its tasks. */
  shutDown = false;
  /** Says after each task whether it has to be replaced; undefined where nothing limits that. */
  recycling;

  #runner;
  #setup;
  #port;
  #answers;
  /** The memory in which the native side shows inputs. */
  #wire;
  /** The script's hooks, where it has some; whether this worker takes part, and why it ends. */
  #hooks;
  #joined = false;
  #reason;
  /** Why it is to take no more tasks once none of its tasks waits for tasks of its own. */
  #retiresLater;
  #lastWork = now();
  #idleTimer;

  /**
   * @param {import('./runner').Runner} runner
   * @param {object} setup the runner's
   * @param {MessagePort} port the script's `parentPort`
   * @param {import('./answering').Answering} answers
   * @param {Buffer} wire
   */
  constructor(runner, setup, port, answers, wire) {
    this.#runner = runner;
    this.#setup = setup;
    this.#port = port;
    this.#answers = answers;
    this.#wire = wire;
    if (setup.recycle !== undefined) {
      const { Recycling } = require('./recycle-limits');
      this.recycling = new Recycling(setup.recycle);
    }
  }

  /** Whether it takes no more tasks. */
  get isLeaving() {
    return this.leaving || this.retiring;
  }

  /** Whether the script's `setup` runs. */
  get isSettingUp() {
    return this.#hooks !== undefined && this.#hooks.settingUp;
  }

  /** Whether the script's `teardown` runs, or has run: nothing is submitted any more, or each worker would need another after it. */
  get tearsDown() {
    return this.#hooks !== undefined && this.#hooks.tearingDown;
  }

  /** The script is loaded: takes part from now on, or once its `setup` is done. */
  begin(hooks, control) {
    if (!binding.joinPool(this.#setup.key, this.#wire)) return process.exit();
    this.#joined = true;
    if (hooks === undefined) this.#takePart();
    else this.#setUp(hooks, control);
  }

  #takePart() {
    // Idle or not, the pool says when this worker ends.
    deliveryOf(binding).hold(1);
    this.#port.once('close', () => this.retire('self'));
    this.#answers.ready(this.#runner.functionNames);
    this.#runner.pull();
  }

  #setUp(hooks, control) {
    const { Hooks } = require('./hooks');
    this.#hooks = new Hooks(hooks, this.#runner.workerId, this.#answers, control);
    // No task begins meanwhile.
    this.#runner.pulling = true;
    this.#hooks.setUp(
      () => {
        this.#runner.pulling = false;
        if (this.shutDown) this.#end();
        else this.#takePart();
      },
      (error) => this.failedToLoad(error, true),
    );
  }

  /** The script cannot be loaded: reports the error to the owner, and ends. */
  failedToLoad(error, isOfSetup = false) {
    if (this.leaving) return;
    this.leaving = true;
    try {
      if (this.#joined || binding.joinPool(this.#setup.key, this.#wire)) this.#answers.notReady(error, isOfSetup);
    } finally {
      // Unless what the script threw has ended the worker by then.
      setImmediate(() => process.exit(1));
    }
  }

  /**
   * Nothing waits.
   *
   * @param {boolean} hasWorked whether it has run a task since it was idle the last time
   */
  idle(hasWorked) {
    if (hasWorked) this.#lastWork = now();
    const { waitPolicy, idleTimeout } = this.#setup;
    if (waitPolicy === IDLE_BLOCK && this.#runner.open.size === 0) {
      // The event loop has a turn between two waits.
      setImmediate(this.#runner.pull);
    }
    if (idleTimeout === Infinity || this.#idleTimer !== undefined) return;
    this.#armIdleTimer(idleTimeout);
  }

  #armIdleTimer(time) {
    this.#idleTimer = setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.leaving) return;
      const { idleTimeout } = this.#setup;
      const idle = now() - this.#lastWork;
      if (this.#runner.open.size > 0 || idle < idleTimeout) return this.#armIdleTimer(Math.max(10, idleTimeout - idle));
      if (binding.leavePool(true)) return this.#end('idle');
      // It is among those that are kept: until others come, or fewer are kept.
      this.#armIdleTimer(Math.max(KEPT_FOR, idleTimeout));
    }, Math.min(time, LONGEST_TIMER));
    this.#idleTimer.unref();
  }

  /**
   * The owner wants this worker to end.
   *
   * @param {number} kind RETIRE or SHUT_DOWN
   * @param {string} why
   */
  toldToEnd(kind, why) {
    if (this.isSettingUp) {
      this.#reason = why;
      this.shutDown = true;
      const { PoolClosedError } = require('../errors');
      this.#hooks.abort(new PoolClosedError('the worker is to end'));
    } else if (kind === require('./owner-messages').RETIRE) {
      this.retire(why);
    } else {
      this.#reason = why;
      this.shutDown = true;
      for (const job of this.#runner.open.values()) job.abort(REASONS.POOL_CLOSED);
      // Tasks that have heard their signal may end by it.
      setImmediate(() => this.leave());
    }
  }

  /** Takes no more tasks but those whose input is here, and ends. */
  retire(why) {
    if (this.isLeaving) return;
    if (this.#runner.nesting.count > 0) {
      // Until then another worker would have to run what its tasks wait for.
      this.#retiresLater ??= why;
      return;
    }
    this.retiring = true;
    this.#reason = why;
    if (binding.leavePool(false)) this.leave();
    else setImmediate(this.#runner.pull);
  }

  /** None of its tasks has submitted tasks any more. */
  nestingIsOver() {
    if (this.#retiresLater !== undefined) this.retire(this.#retiresLater);
  }

  /** Takes no more tasks at all, and ends. */
  leave() {
    this.leaving = true;
    this.endIfDone();
  }

  endIfDone() {
    if (this.leaving && this.#isDone()) setImmediate(() => this.#end());
  }

  /** Whether no task is waited for any more. */
  #isDone() {
    const { open } = this.#runner;
    if (!this.shutDown) return open.size === 0;
    for (const job of open.values()) if (job.hasSignal) return false;
    return true;
  }

  #end(why = this.#reason) {
    this.leaving = true;
    const exit = () => {
      flushOutput();
      process.exit();
    };
    if (this.#hooks === undefined) return exit();
    const reason = why ?? (binding.poolCloses() ? 'close' : 'resize');
    if (!this.#hooks.tearDown(reason, exit)) exit();
  }
}

module.exports = { WorkerLife };
