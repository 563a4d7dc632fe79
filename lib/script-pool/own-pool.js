'use strict';

/**
 * `task.pool`: the pool of the running task, for tasks of its own. Loaded in a worker when it is first asked for.
 *
 * The pool belongs to another thread, so the worker asks the pool's owner by the port that the two have: the owner submits the
 * task (nested-tasks.js) and sends back what becomes of it. Whatever Node's ports carry gets through, and all that the owner knows
 * (limits, exports, workers to be started) counts as for any task.
 *
 * They are stopped with the task that has submitted them. While a task waits for such tasks it takes none of its worker's capacity
 * (nesting.js), or a pool would stand still as soon as each of its workers has a task that waits. So the worker takes others
 * meanwhile, in the order of the queue. Only `runSync` blocks the thread (blocked-worker.js).
 *
 * The native side refuses a task that could never run, since others wait for it that have what it needs (src/pool/deadlock.rs). So the
 * owner tells it who waits: the running task, or code of this worker outside of any.
 */

const { deliveryOf } = require('../delivery');
const { openValue } = require('../fallback/value');
const { binding } = require('../native');
const { InvalidArgTypeError, InvalidArgValueError, PoolClosedError, abortError } = require('../errors');
const { submitOptions } = require('../task/options');
const { Pending } = require('../task/pending');
const { leftUntil } = require('../task/time-limits');
const { describe, validateIterable } = require('../validators');
const { NESTED_ANSWER, NESTED_REPORT } = require('./owner-messages');
const { locateScript } = require('./script-location');
const { listFor, sendValue } = require('./transfer');

// What the running task has, its tasks get.
require('../structure/inheritance');

const NOTHING = Object.freeze([]);
const NO_OPTIONS = Object.freeze({});

/** Options of `pool.run` that the owner would have to serve, for a caller that is elsewhere. */
const OWNERS = {
  __proto__: null,
  cache: 'the cache is for callers on the thread that has made the pool',
  dedupe: 'runs are shared by callers on the thread that has made the pool',
  onOutput: 'what such a task prints goes where the output of its worker goes',
  retries: 'catch a WorkerExitedError, and run the task again',
};

/** A task of a task, in the worker. It ends early by signals alone: the owner sees to its time limits. */
class NestedTask extends Pending {
  /** Called once nothing of it is left. */
  onOver;
}

class OwnPool {
  #runner;
  #control;
  #delivery = deliveryOf(binding);
  #lastNumber = 0;
  /** Those of which something is left, by number. */
  #open = new Map();

  /**
   * @param {import('./runner').Runner} runner
   * @param {MessagePort} control of Node's, to the owner of the pool
   */
  constructor(runner, control) {
    this.#runner = runner;
    this.#control = control;
  }

  /** Runs a task of the same pool. */
  run(task, input, options) {
    if (typeof task === 'string' && task !== '') return this.#run(task, input, options);
    return Promise.reject(notAName());
  }

  /** Runs the script's default export. */
  runTask(input, options) {
    return this.#run('', input, options);
  }

  /** Blocks this worker's thread until a task of the same pool is answered. */
  runSync(task, input, given = NO_OPTIONS) {
    const { Outcome, refuseOptions } = require('../task/blocking');
    if (typeof task !== 'string' || task === '') throw notAName();
    if (given !== NO_OPTIONS) refuseOptions(given);
    const { stopError } = require('./task');
    const job = this.#runner.current;
    const reason = job?.stopReason(binding) ?? 0;
    if (reason !== 0) throw stopError(reason);
    const outcome = new Outcome(this);
    let pending;
    try {
      pending = this.#submit(task, input, submitOptions(given), outcome.resolve, outcome.reject, true);
      this.#runner.blocked.until(outcome, pending, job);
    } finally {
      this.#runner.unblocked();
      // Also where it has ended: a pool whose order is repeated may have waited for this worker.
      if (pending !== undefined && pending.id !== 0) this.cancel(pending.id);
    }
    if (outcome.hasFailed) throw outcome.value;
    return outcome.value;
  }

  /** Runs a task over inputs: the first failure cancels the others. */
  map(task, inputs, options) {
    return this.scope({}, (scope) => Promise.all(Array.from(iterable(inputs), (input) => scope.run(task, input, options))));
  }

  scope(options, block) {
    return require('../structure/scope').openScope(this, options, block);
  }

  #run(task, input, given = NO_OPTIONS) {
    return new Promise((resolve, reject) => {
      this.#submit(task, input, submitOptions(refuseOwners(given)), resolve, reject, false);
    });
  }

  /** @param {boolean} blocks whether this thread is blocked until it is answered: then the time limits hold here too */
  #submit(task, input, options, resolve, reject, blocks) {
    // Now: a relative path depends on who calls.
    if (options.filename !== undefined) options.filename = locateScript(options.filename, 'options.filename');
    const { signal, outerSignal, context, onProgress, timeout, deadline, transfer = NOTHING } = options;
    const pending = new NestedTask(resolve, reject, this, task);
    if (this.#runner.life.tearsDown) {
      pending.reject(new PoolClosedError('the worker is being torn down: its tasks have ended, and it submits no more'));
      return pending;
    }
    pending.control(blocks ? { signal, outerSignal, context, timeout, deadline } : { signal, outerSignal, context });
    // What stops the running task stops its tasks. A thread that is blocked looks itself.
    const { current } = this.#runner;
    if (current?.stoppable && !pending.ended && !blocks) pending.watch(current.signalFrom(binding), abortError);
    if (pending.ended) return pending;
    if (onProgress !== undefined) pending.listen(onProgress);
    try {
      this.#ask(pending, task, input, options, listFor(input, transfer), blocks);
    } catch (error) {
      if (this.#open.delete(pending.id)) pending.onOver();
      pending.reject(error);
    }
    return pending;
  }

  #ask(pending, task, input, options, list, blocks) {
    const number = ++this.#lastNumber;
    const runner = this.#runner;
    const job = runner.current;
    // As the native side takes it.
    const waiter = job === undefined || job.isOver ? -1 - runner.workerId : job.id;
    const said = { ...saidOf(options), transfers: list.length > 0, isLast: runner.life.isLeaving, waiter, blocks };
    sendValue(input, list, (value, isBundle, given) => {
      // What getters of the input have done may have ended it.
      if (pending.ended) return;
      // Twice where Node refuses what was only found in the input.
      if (pending.onOver === undefined) this.#waitFor(pending, job, blocks);
      this.#open.set(number, pending);
      pending.id = number;
      this.#control.postMessage([false, { ask: [number, task, said, isBundle, value] }], given);
    }, 'input');
    if (pending.id !== 0) binding.reportReady();
  }

  #waitFor(pending, job, blocks) {
    // Before the owner submits it: where nothing may wait in the queue, this worker is free for it.
    if (blocks) {
      binding.scriptBlocks(job?.id ?? 0, true);
      pending.onOver = () => {};
      return;
    }
    const goOn = this.#runner.nesting.waits(job);
    this.#delivery.hold(1);
    pending.onOver = () => {
      this.#delivery.hold(-1);
      goOn();
    };
  }

  /** For `Pending`: one of its tasks has ended early. */
  cancel(number) {
    this.#control.postMessage([false, { cancelsAsk: number }]);
    binding.reportReady();
    return true;
  }

  /** The owner has told something of a task. */
  told([kind, number, ...rest]) {
    const pending = this.#open.get(number);
    if (pending === undefined) return;
    if (kind === NESTED_REPORT) pending.tell(openValue(...rest));
    else if (kind === NESTED_ANSWER) this.#answered(pending, ...rest);
    else {
      this.#open.delete(number);
      pending.onOver();
      pending.over();
    }
  }

  #answered(pending, hasFailed, isBundle, value) {
    if (pending.isSettled) return;
    let outcome;
    try {
      outcome = openValue(isBundle, value);
      if (hasFailed) outcome = require('../task/thrown').thrownFromPort(outcome);
    } catch (error) {
      hasFailed = true;
      outcome = error;
    }
    if (hasFailed) pending.reject(outcome);
    else pending.resolve(outcome);
  }
}

const notAName = () => new InvalidArgValueError('The "task" argument must be the name of a task. For the default export: runTask(input)');

/** Their own word for one that is not served, and not silence. */
function refuseOwners(given) {
  for (const name in OWNERS) {
    if (typeof given !== 'object' || given === null || !Object.hasOwn(given, name)) continue;
    throw new InvalidArgValueError(`task.pool has no option '${name}'; ${OWNERS[name]}`);
  }
  return given;
}

function iterable(inputs) {
  validateIterable(inputs, 'inputs');
  if (typeof inputs[Symbol.iterator] === 'function') return inputs;
  throw new InvalidArgTypeError(`The "inputs" argument of task.pool.map must be an iterable, not an async one. Received ${describe(inputs)}`);
}

/** Of a task's options what the owner is told. */
function saidOf({ priority, key, timeout, deadline, runTimeout, filename, name, parallel, progress, spread, worker, onProgress }) {
  const said = { priority, parallel, reports: onProgress !== undefined };
  if (progress !== 'all') said.progress = progress;
  if (key !== undefined) said.key = key;
  if (filename !== undefined) said.filename = filename;
  if (worker !== undefined) said.worker = worker;
  if (timeout !== undefined) said.timeout = timeout;
  if (deadline !== undefined) said.deadline = leftUntil(deadline);
  if (runTimeout !== undefined) said.runTimeout = runTimeout;
  if (name !== undefined) said.name = name;
  if (spread) said.spread = spread;
  return said;
}

module.exports = { OwnPool };

for (const name of ['exec', 'forEach', 'iterate', 'proxy', 'reduce', 'stream', 'transform']) {
  // For the methods of its scopes.
  Object.defineProperty(OwnPool.prototype, name, {
    value: () => {
      throw new InvalidArgValueError(`task.pool has no ${name}: it has run(task, input), runTask(input), map(task, inputs) and scope()`);
    },
  });
}
