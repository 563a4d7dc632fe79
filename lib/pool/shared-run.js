'use strict';

/** One run that callers share: it may be begun again when its worker was lost, and is cancelled when the last caller has left. */

const nodeGlobals = require('../runtime/globals');
const { PoolClosedError, QueueFullError } = require('../errors');
const { CONTEXT } = require('../task/task-context');
const { settleBy } = require('../answer-errors');
const { isExitError } = require('../script-pool/exit-error');
const { KeptInput } = require('../script-pool/kept-input');
const { notTooDeep } = require('../script-pool/too-deep');

class SharedRun {
  place;
  /** Under which its output is to be kept. */
  cacheKeys = new Set();

  #owner;
  #tasks;
  #task;
  #name;
  #input;
  /** What is submitted: with retries, the input as it was at the call. */
  #source;
  #options;
  #retries;
  /** Whether its reports are asked for. */
  #listens;
  /** The error of the worker that was lost last. */
  #lost;
  #callers = new Set();
  /** Ends it; undefined where nothing can. */
  #stop;
  #isOver = false;
  /** Whether the pool has it: not between two attempts. */
  #isSubmitted = false;
  /** The last caller, where it left: it counts in its scope until no thread has anything of the task. */
  #last;
  /** What counts the task itself; of nobody's scope, since callers may be of several. */
  #context;

  constructor(owner, tasks, { task, name, listens, isStoppable, place, input, options, retries }) {
    this.#owner = owner;
    this.#tasks = tasks;
    this.#task = task;
    this.#name = name;
    this.place = place;
    this.#input = this.#source = input;
    this.#options = options;
    this.#retries = retries;
    this.#listens = listens;
    const context = { priority: 0, enter() {}, leave: () => this.#last?.over(), join: (checked) => (checked.context = context) };
    context.inner = context;
    this.#context = context;
    if (isStoppable) this.#stop = new nodeGlobals.AbortController();
  }

  join(caller, cacheKey) {
    this.#callers.add(caller);
    if (cacheKey !== undefined) this.cacheKeys.add(cacheKey);
  }

  /** A caller has ended early. @returns {boolean} whether the task may have started */
  leave(caller) {
    this.#callers.delete(caller);
    if (this.#callers.size > 0 || this.#isOver) {
      caller.over();
      return true;
    }
    this.#isOver = true;
    this.#last = caller;
    this.#owner.ended(this);
    if (this.#isSubmitted) this.#stop?.abort();
    else caller.over();
    return true;
  }

  /** Whether its output would be kept under this key, of this task where one is named; no key stands for all. */
  isForCache(key, task) {
    if (this.cacheKeys.size === 0 || (task !== undefined && task !== this.#name)) return false;
    return key === undefined || this.cacheKeys.has(key);
  }

  begin() {
    try {
      if (this.#retries > 0) this.#source = KeptInput.of(this.#input).take().value;
    } catch (error) {
      return this.#settle('reject', notTooDeep(error, 'the input'));
    }
    if (!this.#isOver) this.#submit();
  }

  #submit() {
    const options = { ...this.#options, [CONTEXT]: this.#context };
    this.#isSubmitted = true;
    if (this.#stop !== undefined) options.signal = this.#stop.signal;
    if (this.#listens) options.onProgress = (value) => this.#tell(value);
    this.#tasks.run(this.#task, this.#source, options, (value) => settleBy(value, this.#done, this.#failed), this.#failed);
  }

  #tell(value) {
    for (const caller of [...this.#callers]) caller.tell(value);
  }

  #done = (value) => {
    if (this.#isOver) return;
    for (const key of this.cacheKeys) this.#owner.cache.keep(this.#name, key, value);
    this.#settle('resolve', value);
  };

  #failed = (error) => {
    if (this.#isOver) return;
    // Where it cannot be begun again, the error is why it has to be.
    if (this.#lost !== undefined && isRefused(error)) return this.#settle('reject', this.#lost);
    if (this.#retries > 0 && isExitError(error)) {
      this.#isSubmitted = false;
      this.#retries--;
      this.#lost = error;
      this.#owner.beginAgain(() => this.#again());
      return;
    }
    if (error instanceof QueueFullError && error.input === this.#source) error.input = this.#input;
    this.#settle('reject', error);
  };

  #again() {
    if (!this.#isOver) this.#submit();
  }

  #settle(how, value) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.ended(this);
    for (const caller of this.#callers) caller[how](value);
  }
}

const isRefused = (error) => error instanceof QueueFullError || error instanceof PoolClosedError;

module.exports = { SharedRun };
