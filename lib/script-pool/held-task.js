'use strict';

/**
 * A task under a bare name that a native task has too, submitted before any worker has reported what the script exports. Its
 * input is taken at the call; it waits until it is known whose task it is, and is submitted then.
 */

const { AsyncResource } = require('node:async_hooks');

const { now } = require('../runtime/clock');
const { QueueFullError, takesNoMoreTasks } = require('../errors');
const { Pending } = require('../task/pending');
const { CONTEXT } = require('../task/task-context');
const { submitOptions } = require('../task/options');
const { ensureStack } = require('../runtime/stack-overflow');
const { KeptInput } = require('./kept-input');
const { notTooDeep } = require('./too-deep');
const { letGo } = require('./transfer');

/** Milliseconds by which the time limit of a held task comes before that of the task that it becomes. */
const MARGIN = 5;

/** The options to submit the task with, in the async context of now. */
function optionsAgain({
  key, onOutput, onProgress, progress, name, signal, spread, timeout, deadline, runTimeout, priority, context, parallel, worker,
}) {
  const options = { priority, parallel };
  if (key !== undefined) options.key = key;
  if (signal !== undefined) options.signal = signal;
  if (timeout !== undefined) options.timeout = timeout;
  if (deadline !== undefined) options.deadline = deadline;
  if (runTimeout !== undefined) options.runTimeout = runTimeout;
  if (context !== undefined) options[CONTEXT] = context;
  if (name !== undefined) options.name = name;
  if (spread) options.spread = true;
  if (progress === 'latest') options.progress = progress;
  if (worker !== undefined) options.worker = worker;
  if (onOutput !== undefined) options.onOutput = AsyncResource.bind(onOutput);
  if (onProgress !== undefined) options.onProgress = AsyncResource.bind(onProgress);
  return options;
}

class HeldTask extends Pending {
  #admission;
  #submit;
  #input;
  #kept;
  #options;
  #began;

  /**
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {import('../task/native-pool').NativePool} pool
   * @param {string} name
   * @param {import('../pool/admission').Admission} admission
   * @param {(input: unknown, options: object | undefined) => Promise<unknown>} submit runs the task once its owner is
   *   known
   */
  constructor(resolve, reject, pool, name, admission, submit) {
    super(resolve, reject, pool, name);
    this.#admission = admission;
    this.#submit = submit;
  }

  /** Takes the input and the options, and waits. */
  hold(input, options) {
    try {
      ensureStack();
      const known = options === undefined ? undefined : submitOptions(options);
      this.#began = now();
      if (known !== undefined) this.control(known, true);
      if (this.ended) return;
      // Getters of the options may end the pool.
      if (this.#admission.isClosed) throw takesNoMoreTasks(this.task);
      // Before the input is read: what its getters do may end the task, or the pool.
      this.#admission.enter(this);
      const kept = KeptInput.of(input, known?.transfer);
      if (!this.#admission.has(this)) return kept.discard();
      this.#kept = kept;
      this.#input = input;
      this.#options = known === undefined ? undefined : optionsAgain(known);
      this.#admission.awaitExports(this);
    } catch (error) {
      this.reject(notTooDeep(error, 'the input'));
    }
  }

  /** It is known whose task it is. */
  go() {
    const kept = this.#kept;
    this.#kept = undefined;
    this.resolve(this.#submitKept(kept));
  }

  /** The script does not load, or the pool is destroyed. */
  fail(error) {
    this.end(error);
  }

  /** Last of all, however it ended. */
  released() {
    super.released();
    this.#kept?.discard();
    this.#kept = undefined;
    this.#admission.leave(this);
  }

  async #submitKept(kept) {
    const { value, transfer } = kept.take();
    const input = this.#input;
    const options = this.#options === undefined && transfer.length === 0 ? undefined : { ...this.#options };
    if (transfer.length > 0) options.transfer = transfer;
    // Its own time limit, which is the call's, ends it if this one is late.
    if (options?.timeout !== undefined) options.timeout = Math.max(0, options.timeout - (now() - this.#began)) + MARGIN;
    if (options?.deadline !== undefined) options.deadline = Math.max(0, options.deadline - now()) + MARGIN;
    try {
      return await this.#submit(value, options);
    } catch (error) {
      const isRefused = error instanceof QueueFullError;
      // A refused input is the caller's own object, unless it was transferred.
      if (isRefused && transfer.length === 0) error.input = input;
      if (!isRefused && transfer.length > 0) letGo(transfer);
      throw error;
    }
  }
}

module.exports = { HeldTask };
