'use strict';

/**
 * Scopes: tasks that begin and end together. docs/structure.md has the rules, and where they come from.
 *
 * A scope counts two things, and is over when neither is left: the promises that it has given out, and its tasks (each counts
 * itself, from when it begins to be submitted until no thread has anything of it: `enter` and `leave`, task/task-context.js). So a
 * task that was cancelled, and whose promise is rejected at once, still holds its scope until its thread has let go of it.
 *
 * All tasks of a scope share its one signal, so that thousands are stopped by one step (task/cancel-group.js).
 */

const { inspect } = require('node:util');

const { onAbort } = require('../abort');
const { lineOf } = require('../inspection');
const { LONGEST_TIMER, clearTimeout, now, setTimeout } = require('../runtime/clock');
const nodeGlobals = require('../runtime/globals');
const { DeadlineError, TaskCancelledError, reasonOf, withoutStack } = require('../errors');
const { sooner } = require('../task/time-limits');
const { contextOf, withContext } = require('../task/task-context');
const { validateFunction } = require('../validators');
const { closedError, deadlineError, warnOf } = require('./scope-errors');
const { checkedOptions } = require('./scope-options');
const { ScopePromise } = require('./scope-promise');
const { ScopeTransform } = require('./scope-transform');

/** The scope's own timer comes so many milliseconds after those of its tasks, which say whether they had started. */
const LATER = 2;

/** Why a scope was cancelled. */
const BY_FAILURE = 'failure';
const BY_SUCCESS = 'success';
const BY_BLOCK = 'block';
const BY_CALL = 'call';
const BY_SIGNAL = 'signal';
const BY_DEADLINE = 'deadline';

const { then: thenOf } = Promise.prototype;
const passOver = () => {};

class Scope {
  #pool;
  #join;
  #deadline;
  #runTimeout;
  #parent;
  #children = new Set();
  #streams = new Set();
  #controller = new nodeGlobals.AbortController();
  /** What its tasks get from it; and those of `iterate`, which go on for as long as they are asked. */
  #context;
  #ofIterators;
  /** Promises given out and not settled, and tasks of which something is left. */
  #open = 0;
  /** Tasks of `iterate` of which something is left. */
  #iterating = 0;
  /** Called once none is left. */
  #whenIdle;
  #timer;
  #unwatch = passOver;
  /** Why it was cancelled: `{ by, reason }`. */
  #cancelled;
  /** Failures of its own tasks: entries of promises. */
  #failures = new Set();
  /** Tasks that were cancelled with the scope: entries. */
  #dropped = new Set();
  #hasSucceeded = false;
  #hasRun = false;
  /** The promise of `close()`. */
  #closing;
  #hasEndedStreams = false;
  #isOver = false;

  /**
   * @param {import('../pool/worker-pool').WorkerPool} pool
   * @param {unknown} options
   * @param {Scope} [parent]
   */
  constructor(pool, options, parent) {
    const { deadline, join, priority, runTimeout, signal } = checkedOptions(options);
    this.#pool = pool;
    this.#join = join;
    this.#parent = parent;
    const outer = parent === undefined ? contextOf({}) : parent.#context;
    this.#deadline = sooner(deadline, outer?.deadline);
    this.#runTimeout = runTimeout ?? parent?.#runTimeout;
    const usual = priority ?? outer?.priority ?? 0;
    this.#context = this.#contextOf(usual, () => this.#enter(), () => this.#leave());
    this.#ofIterators = this.#contextOf(usual, () => this.#iterating++, () => this.#iterated());
    if (parent !== undefined) {
      if (parent.#isOver) throw closedError();
      parent.#children.add(this);
      if (parent.#cancelled !== undefined) this.#cancel(BY_SIGNAL, parent.#cancelled.reason);
    }
    if (signal !== undefined) this.#watch(signal);
    if (this.#deadline !== undefined) this.#awaitDeadline();
  }

  #contextOf(priority, enter, leave) {
    // Tasks that a map makes have the map's options already.
    const inner = { priority, enter, leave, join: (options) => (options.context = inner) };
    inner.inner = inner;
    const join = (options) => {
      options.context = context;
      options.deadline = sooner(options.deadline, this.#deadline);
      if (options.runTimeout === undefined) options.runTimeout = this.#runTimeout;
      if (options.signal === undefined) options.signal = this.signal;
      else if (options.signal !== this.signal) options.outerSignal = this.signal;
    };
    const context = { priority, deadline: this.#deadline, enter, leave, join, inner };
    return context;
  }

  #watch(signal) {
    this.#unwatch = onAbort(signal, () => this.#cancel(BY_SIGNAL, reasonOf(signal)));
  }

  #awaitDeadline() {
    const left = this.#deadline - now();
    if (left <= 0) return this.#cancel(BY_DEADLINE, deadlineError(false));
    this.#timer = setTimeout(() => {
      if (this.#deadline > now()) this.#awaitDeadline();
      else this.#cancel(BY_DEADLINE, deadlineError(this.#hasRun));
    }, Math.min(Math.ceil(left) + LATER, LONGEST_TIMER));
    this.#timer.unref();
  }

  /** Aborts when the scope is cancelled; the reason says why. */
  get signal() {
    return this.#controller.signal;
  }

  /** Whether everything in it has ended, and it takes no more. */
  get closed() {
    return this.#isOver;
  }

  run(task, input, options) {
    return this.#begin(options, (joined) => this.#pool.run(task, input, joined));
  }

  runTask(input, options) {
    return this.#begin(options, (joined) => this.#pool.runTask(input, joined));
  }

  map(task, inputs, options) {
    return this.#begin(options, (joined) => this.#pool.map(task, inputs, joined));
  }

  forEach(task, inputs, options) {
    return this.#begin(options, (joined) => this.#pool.forEach(task, inputs, joined));
  }

  reduce(task, inputs, initial, options) {
    return this.#begin(options, (joined) => this.#pool.reduce(task, inputs, initial, joined));
  }

  exec(fn, args, options) {
    return this.#begin(options, (joined) => this.#pool.exec(fn, args, joined));
  }

  stream(task, source, options) {
    return this.#endsWith(() => this.#pool.stream(task, source, withContext(options, this.#context)));
  }

  transform(task, options) {
    if (this.#isOver) throw closedError();
    const transform = this.#pool.transform(task, withContext(options, this.#context));
    const untold = (error) => this.#failedAlone({ isAsked: false, error });
    this.#streams.add(new ScopeTransform(transform, this.signal, untold, (stream) => this.#streams.delete(stream)));
    return transform;
  }

  iterate(task, input, options) {
    return this.#endsWith(() => this.#pool.iterate(task, input, withContext(options, this.#ofIterators)));
  }

  /** Its methods are tasks of the scope. */
  proxy(options) {
    if (this.#isOver) throw closedError();
    return this.#pool.proxy(withContext(options, { caller: this }));
  }

  /** Nothing can abort while the thread is blocked, but the deadline is that of the scope, and holds. */
  runSync(task, input, options) {
    if (this.#isOver) throw closedError();
    this.#enter();
    try {
      this.#hasRun = true;
      const output = this.#pool.runSync(task, input, withContext(options, this.#context));
      this.#succeeded();
      return output;
    } catch (error) {
      // Its caller has it.
      this.#failed({ isAsked: true, error });
      throw error;
    } finally {
      this.#leave();
    }
  }

  /** An iterator that is ended with the scope, where nobody has read it to its end. */
  #endsWith(open) {
    if (this.#isOver) throw closedError();
    const stream = open();
    this.#streams.add(stream);
    return stream;
  }

  scope(options, block) {
    if (typeof options === 'function' && block === undefined) return this.scope(undefined, options);
    if (block === undefined) return new Scope(this.#pool, options, this);
    return this.#begin(undefined, () => runBlock(this.#pool, options, block, this));
  }

  /** Cancels everything in it; that is no failure of the scope. */
  cancel(reason = withoutStack(() => new TaskCancelledError('the scope was cancelled'))) {
    this.#cancel(BY_CALL, reason);
  }

  /** Waits until everything in it has ended, and takes no more then. Rejects with the failures that nobody has asked for. */
  close() {
    return (this.#closing ??= this.#close());
  }

  async [Symbol.asyncDispose]() {
    // A close() before has told of the failures.
    if (this.#closing === undefined) return this.close();
    return this.#closing.then(passOver, passOver);
  }

  /** Begins something that its promise stands for; `isTask`: whether its end is a success in the sense of `join`. */
  #begin(options, begin, isTask = true) {
    if (this.#isOver) return Promise.reject(closedError());
    const entry = { isAsked: false, error: undefined };
    this.#enter();
    const outcome = this.#call(options, begin);
    return ScopePromise.of((resolve, reject) => {
      thenOf.call(
        outcome,
        (value) => {
          resolve(value);
          if (isTask) this.#succeeded();
          this.#leave();
        },
        (error) => {
          entry.error = error;
          reject(error);
          this.#failed(entry);
          this.#leave();
        },
      );
    }, entry);
  }

  /** @returns {Promise<unknown>} */
  #call(options, begin) {
    try {
      this.#hasRun = true;
      return begin(withContext(options, this.#context));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #enter() {
    this.#open++;
  }

  #iterated() {
    this.#iterating--;
    this.#lookWhetherIdle();
  }

  #leave() {
    this.#open--;
    this.#lookWhetherIdle();
  }

  #lookWhetherIdle() {
    if (this.#open > 0 || (this.#hasEndedStreams && this.#iterating > 0) || this.#whenIdle === undefined) return;
    const then = this.#whenIdle;
    this.#whenIdle = undefined;
    then();
  }

  #succeeded() {
    this.#hasSucceeded = true;
    if (this.#join !== 'any' || this.#cancelled !== undefined) return;
    this.#cancel(BY_SUCCESS, withoutStack(() => new TaskCancelledError('another task of the scope was first')));
  }

  #failed(entry) {
    const { error } = entry;
    if (error instanceof DeadlineError && this.#deadline !== undefined && this.#deadline <= now()) {
      this.#cancel(BY_DEADLINE, deadlineError(this.#hasRun));
      if (this.#cancelled.by === BY_DEADLINE) return this.#dropped.add(entry);
    }
    if (this.#failedAlone(entry) && this.#join === 'all') this.#cancel(BY_FAILURE, error);
  }

  /** The same, of what cancels no sibling; whether it is a failure, and not only cancelled. */
  #failedAlone(entry) {
    const isFailure = !this.#isConsequence(entry.error);
    (isFailure ? this.#failures : this.#dropped).add(entry);
    return isFailure;
  }

  /** Whether an error says no more than that the scope was cancelled. */
  #isConsequence(error) {
    if (this.#cancelled === undefined) return false;
    const { reason } = this.#cancelled;
    return error === reason ? this.#cancelled.by !== BY_FAILURE : error instanceof TaskCancelledError && error.cause === reason;
  }

  #cancel(by, reason) {
    if (this.#cancelled !== undefined || this.#isOver) return;
    this.#cancelled = { by, reason };
    this.#controller.abort(reason);
    // A task may have thrown `undefined`, which is no reason.
    this.#cancelled.reason = this.signal.reason;
    for (const child of this.#children) child.#cancel(BY_SIGNAL, this.signal.reason);
  }

  async #close() {
    do {
      await this.#idle();
      // What waited for the last outcome may begin something else: it runs before the tick.
      await new Promise((resolve) => nodeGlobals.nextTick(resolve));
      if (this.#open > 0) continue;
      for (const stream of this.#streams) this.#begin(undefined, () => stream.return(), false);
      this.#streams.clear();
      this.#hasEndedStreams = true;
      for (const child of this.#children) this.#begin(undefined, () => child.close(), false);
    } while (this.#open > 0 || this.#iterating > 0);
    this.#end();
    this.#tell();
  }

  /** @returns {Promise<void> | undefined} */
  #idle() {
    if (this.#open === 0 && !(this.#hasEndedStreams && this.#iterating > 0)) return undefined;
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  #end() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#parent?.#children.delete(this);
  }

  /** @throws the failures that nobody has asked for */
  #tell() {
    const errors = this.#unasked();
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} tasks of the scope failed`);
    const { by, reason } = this.#cancelled ?? {};
    const isUnasked = [...this.#dropped].some((entry) => !entry.isAsked);
    if (!isUnasked) return;
    if (by === BY_DEADLINE) throw reason;
    if (by === BY_SIGNAL) throw new TaskCancelledError('The scope was aborted', { cause: reason });
  }

  #unasked() {
    if (this.#join === 'any' && this.#hasSucceeded) return [];
    return [...this.#failures].filter((entry) => !entry.isAsked).map((entry) => entry.error);
  }

  /** The block has thrown: cancels all, waits, and returns what the scope throws, as `{ error }`: it may be a promise. */
  async blockThrew(error) {
    const isConsequence = this.#isConsequence(error);
    this.#cancel(BY_BLOCK, error);
    const ofTasks = await this.close().then(passOver, (failure) => ({ error: failure }));
    // What the tasks tell of has cancelled what the block waited for.
    if (ofTasks !== undefined && isConsequence) return ofTasks;
    if (ofTasks !== undefined && ofTasks.error !== error) warnOf(ofTasks.error);
    return { error };
  }

  [inspect.custom](depth, options, inspectValue) {
    const left = this.#deadline === undefined ? undefined : Math.max(0, Math.round(this.#deadline - now()));
    const shown = { join: this.#join, open: this.#open, cancelled: this.#cancelled?.by, closed: this.#isOver };
    if (left !== undefined) shown.deadlineIn = left;
    return lineOf(this, () => shown, options, inspectValue);
  }
}

/** Runs a block with a scope, which is over when the promise is settled. */
async function runBlock(pool, options, block, parent) {
  validateFunction(block, 'block');
  const scope = new Scope(pool, options, parent);
  let result;
  try {
    result = await block(scope);
  } catch (error) {
    throw (await scope.blockThrew(error)).error;
  }
  await scope.close();
  return result;
}

/** `pool.scope(options, block)` */
function openScope(pool, options, block) {
  if (typeof options === 'function' && block === undefined) return runBlock(pool, undefined, options);
  return block === undefined ? new Scope(pool, options) : runBlock(pool, options, block);
}

module.exports = { Scope, openScope };
