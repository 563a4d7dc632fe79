'use strict';

/**
 * The owner's side of `task.pool` (own-pool.js): submits what tasks of one worker ask for, and tells the worker what becomes of it.
 * Loaded for the first such task.
 */

const nodeGlobals = require('../runtime/globals');
const { openValue } = require('../fallback/value');
const { CONTEXT } = require('../task/task-context');
const { encodeThrown } = require('../task/thrown');
const { transferablesIn } = require('../transfer/transferables');
const { NESTED_ANSWER, NESTED_OVER, NESTED_REPORT } = require('./owner-messages');
const { sendValue } = require('./transfer');

const NOTHING = Object.freeze([]);

class NestedTasks {
  #worker;
  #run;
  #wake;
  /** What stops those that are under way, by the worker's numbers. */
  #stops = new Map();

  /**
   * @param {import('./pool-worker').PoolWorker} worker
   * @param {(task: string, input: unknown, options: object, resolve: Function, reject: Function) => void} run submits to the
   *   pool, also while it closes
   * @param {() => void} wake wakes the worker where its thread is blocked
   */
  constructor(worker, run, wake) {
    this.#worker = worker;
    this.#run = run;
    this.#wake = wake;
  }

  /** A task of the worker submits one. */
  ask([number, task, said, isBundle, value]) {
    const stop = new nodeGlobals.AbortController();
    this.#stops.set(number, stop);
    const { transfers, reports, isLast, waiter, blocks, ...options } = said;
    options.signal = stop.signal;
    options[CONTEXT] = contextOf(options.priority, waiter, blocks, () => this.#over(number));
    if (transfers) options.transfer = 'auto';
    if (reports) options.onProgress = (report) => this.#send([NESTED_REPORT, number], report);
    const failed = (error) => {
      this.#failed(number, error);
      options[CONTEXT].settled();
      if (blocks) this.#wake();
    };
    const succeeded = (result) => {
      this.#send([NESTED_ANSWER, number, false], result);
      if (blocks) this.#wake();
      options[CONTEXT].settled();
    };
    try {
      // No promise stands between, since this thread may be blocked by `runSync`, and runs no continuation then.
      this.#run(task, openValue(isBundle, value), options, (outcome) => settle(outcome, succeeded, failed), failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Whether the worker that asks takes no more tasks. */
  isOfLast([, , said]) {
    return said.isLast;
  }

  /** The worker waits for it no more. */
  cancel(number) {
    this.#stops.get(number)?.abort();
  }

  /** The worker has ended: what its tasks have submitted ends too. */
  end() {
    for (const stop of this.#stops.values()) stop.abort();
  }

  #over(number) {
    this.#stops.delete(number);
    this.#post([NESTED_OVER, number], NOTHING);
  }

  /** Sends a value to the worker, or why it cannot be sent. */
  #send(head, value) {
    try {
      sendValue(value, transferablesIn(value), (sent, isBundle, list) => this.#post([...head, isBundle, sent], list), 'result');
    } catch (error) {
      if (head[0] === NESTED_ANSWER) this.#failed(head[1], error);
    }
  }

  #failed(number, error) {
    const { bytes, length, parts, carried } = encodeThrown(error);
    const thrown = { wire: new Uint8Array(bytes.subarray(0, length)), parts, carried };
    sendValue(thrown, NOTHING, (sent, isBundle, list) => this.#post([NESTED_ANSWER, number, true, isBundle, sent], list), 'error');
  }

  #post(message, list) {
    this.#worker.port.postMessage(message, list);
  }
}

/** An outcome is a value, which has no functions; or what a promise would have followed. */
function settle(outcome, succeeded, failed) {
  const then = typeof outcome === 'object' && outcome !== null ? outcome.then : undefined;
  if (typeof then === 'function') then.call(outcome, succeeded, failed);
  else succeeded(outcome);
}

/** What such a task gets: its own priority; and it is counted until nothing of it is left, and its answer was sent. */
function contextOf(priority, waiter, blocks, over) {
  let left = 1;
  const context = {
    priority,
    isNested: true,
    // Who waits for it, as the native side takes it; and whether its worker's thread is blocked meanwhile.
    waiter,
    blocks,
    join: (options) => (options.context = context),
    enter: () => left++,
    leave: () => {
      if (--left === 0) over();
    },
    settled: () => context.leave(),
  };
  context.inner = context;
  return context;
}

module.exports = { NestedTasks };
