'use strict';

/**
 * The hooks of a script, `export const worker = { setup, teardown, onError }`, in a worker. Loaded only where a script has some.
 *
 * `setup` runs once the script is loaded and before the worker takes part; when it fails the script counts as not loaded.
 * `teardown` runs at every soft end, after the last task. The pool's owner keeps the time of both (pool-worker.js): a hook that
 * blocks the thread could not be stopped here. `onError` hears of errors that nothing has caught.
 */

const { receiveMessageOnPort, threadId, workerData } = require('node:worker_threads');

const nodeGlobals = require('../runtime/globals');
const { onLoopEnd } = require('../runtime/loop-end');
const { RETIRE, SHUT_DOWN } = require('./owner-messages');

const NAMES = new Set(['onError', 'setup', 'teardown']);

/** What a hook gets. A script may keep things of its own on it: `teardown` gets the same one. */
class HookContext {
  workerId;
  threadId = threadId;
  workerData = workerData;
  /** Aborts when the worker is to end while `setup` runs. */
  signal;
  /** In `teardown`: why the worker ends. */
  reason = undefined;

  constructor(workerId, signal) {
    this.workerId = workerId;
    this.signal = signal;
  }
}

class Hooks {
  /** Whether `setup` runs. */
  settingUp = false;
  /** Whether `teardown` runs, or has run. */
  tearingDown = false;

  #hooks;
  /** Each as it was when it was read, once. */
  #setup;
  #teardown;
  #onError;
  #context;
  #stop = new nodeGlobals.AbortController();
  /** Tells the owner that the worker ends, and that its teardown has failed. */
  #answers;
  /** The port of the pool's owner. */
  #control;

  /**
   * @param {object} hooks the script's export
   * @param {number} workerId
   * @param {import('./answering').Answering} answers
   * @param {MessagePort} control of Node's, from the owner of the pool
   */
  constructor(hooks, workerId, answers, control) {
    this.#hooks = hooks;
    this.#context = new HookContext(workerId, this.#stop.signal);
    this.#answers = answers;
    this.#control = control;
  }

  /** Calls `setup`, where there is one, and then one of these. */
  setUp(done, failed) {
    this.settingUp = true;
    const settled = (then) => (value) => {
      if (!this.settingUp) return;
      this.settingUp = false;
      takeBack();
      then(value);
    };
    const succeeded = settled(() => {
      if (this.#onError !== undefined) this.#watchErrors();
      done();
    });
    const refused = settled(failed);
    // Nothing is left that could settle its promise.
    const takeBack = onLoopEnd(() => refused(new Error('it returned a promise that nothing can settle')));
    try {
      this.#read();
      const result = this.#setup === undefined ? undefined : this.#call(this.#setup, this.#context);
      // Not `await`: a worker whose setup is done at once starts at once.
      if (isThenable(result)) Promise.resolve(result).then(succeeded, refused);
      else succeeded();
    } catch (error) {
      refused(error);
    }
  }

  #read() {
    const hooks = this.#hooks;
    refuseMisspelt(hooks);
    const { setup, teardown, onError } = hooks;
    this.#setup = hookOf('setup', setup);
    this.#teardown = hookOf('teardown', teardown);
    this.#onError = hookOf('onError', onError);
  }

  #call(hook, given) {
    return Reflect.apply(hook, this.#hooks, [given]);
  }

  /** The worker is to end: tells a setup that is still at it. */
  abort(error) {
    this.#stop.abort(error);
  }

  /**
   * The worker ends, and has no task.
   *
   * @param {string} reason
   * @param {() => void} end ends the worker
   * @returns {boolean} whether `end` is called once the hook is through; else the worker can end now
   */
  tearDown(reason, end) {
    if (this.tearingDown) return true;
    if (this.#teardown === undefined) return false;
    this.tearingDown = true;
    this.#answers.ending();
    this.#context.reason = this.#toldWhy() ?? reason;
    const failed = (error) => {
      this.#answers.notTornDown(error);
      end();
    };
    try {
      Promise.resolve(this.#call(this.#teardown, this.#context)).then(end, failed);
    } catch (error) {
      failed(error);
    }
    return true;
  }

  /** Why the owner wants the worker to end: it has said so before the pool has, by which this worker may have come to its end. */
  #toldWhy() {
    let why;
    for (let received; (received = receiveMessageOnPort(this.#control)) !== undefined;) {
      const [kind, given] = received.message;
      if (kind === RETIRE || kind === SHUT_DOWN) why = given;
    }
    return why;
  }

  /**
   * An error that nothing has caught ends the worker, as in any Worker, unless `onError` returns true, or the script listens for
   * 'uncaughtException' by itself.
   */
  #watchErrors() {
    process.on('uncaughtException', (error) => {
      if (this.#call(this.#onError, error) === true) this.#answers.outlived(error);
      // Thrown in here it is uncaught for good.
      else if (process.listenerCount('uncaughtException') === 1) throw error;
    });
  }
}

const isThenable = (value) =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof value.then === 'function';

/** A hook, or undefined where there is none: beside others it may be null. */
function hookOf(name, value) {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'function') return value;
  const { InvalidArgTypeError } = require('../errors');
  const { describe } = require('../validators');
  throw new InvalidArgTypeError(`The hook "${name}" in the export "worker" must be a function. Received ${describe(value)}`);
}

/** A hook whose name has a fault would never be called. */
function refuseMisspelt(hooks) {
  for (const name of Object.keys(hooks)) {
    if (NAMES.has(name) || typeof hooks[name] !== 'function') continue;
    const { meant } = require('../unknown-option');
    const near = meant(name, NAMES);
    if (near === '') continue;
    const { InvalidArgValueError } = require('../errors');
    throw new InvalidArgValueError(`unknown hook '${name}' in the export "worker"${near}`);
  }
}

module.exports = { Hooks };
