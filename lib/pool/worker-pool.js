'use strict';

/** The public class of a pool: its options, `run` and `map`, events, `close`, and its counters. */

const { EventEmitter } = require('node:events');
const { inspect } = require('node:util');

const { binding } = require('../native');
const { LONGEST_TIMER, clearTimeout, setImmediate, setTimeout } = require('../runtime/clock');
const { deliveryOf } = require('../delivery');
const { PoolClosedError, UnknownTaskError } = require('../errors');
const { mapOptions } = require('../flow/options');
const { forgotten } = require('../forgotten');
const { SIZE_FROM, closeOptions, nativePoolOptions, poolSettings, refuseMore } = require('../task/options');
const { fallbackPortsOf } = require('../script-pool/fallback-ports');
const { locateScript } = require('../script-pool/script-location');
const { NativeScriptPool } = require('../script-pool/native-script-pool');
const { refuseOwnScript } = require('../script-pool/own-script');
const { scriptPoolOptions, scriptSettings } = require('../script-pool/script-options');
const { ScriptSubmitter } = require('../script-pool/script-submitter');
const { RUNNER } = require('../script-pool/task');
const { WorkerManager } = require('../script-pool/worker-manager');
const { ensureStack } = require('../runtime/stack-overflow');
const { callUser } = require('../user-code');
const { validateIterable } = require('../validators');
const { InputByInputMap } = require('./map-input-by-input');
const { loadCodec } = require('../task/encode-input');
const { NativePool } = require('../task/native-pool');
const { NativeSubmitter } = require('./native-submitter');
const { NATIVE, NOBODY, SCRIPT, TaskRouter, UNDECIDED, unknownTask } = require('./task-router');
const { Admission } = require('./admission');

const delivery = deliveryOf(binding);

/** In a worker of a pool, tasks get something from the running one. */
const inheritance = binding[RUNNER] === undefined ? undefined : require('../structure/inheritance');

/** Told to `closePool`: whether running tasks are stopped, and whether an event comes once the pool has closed. */
const GRACEFULLY = false;
const BY_FORCE = true;
const ANNOUNCED = true;
const UNANNOUNCED = false;

/** Closes the native side of pools that were forgotten without `close()`. */
const closing = forgotten('closePool', GRACEFULLY, ANNOUNCED);

/** The functions of the promise made last: an executor of its own for each would be two more objects a task. */
const captured = { resolve: undefined, reject: undefined };
const capture = (resolve, reject) => {
  captured.resolve = resolve;
  captured.reject = reject;
};

/** No pool has this handle: a submission with it is refused as by a closed pool. */
const NO_HANDLE = 2 ** 32 - 1;

/** Loaded when it is first called. */
let runSync;

class WorkerPool extends EventEmitter {
  #settings;
  #native;
  #admission;
  /** Submits tasks by name: native ones, and those of the script where there is one. */
  #tasks;
  #nativeTasks;
  /** Maps of which not every input was submitted, or is done. */
  #maps = new Set();
  /** The promise of `close()`, once it was called. */
  #closing;
  /** Whether the native side was told to close once all is done. */
  #nativeCloses = false;
  /** Looks after 'drain' in a pool without `maxQueue`, once somebody listens. */
  #emptied;
  /** The last counters, once the pool has closed. */
  #lastCounters;

  /** The script's tasks, in a pool that has a script; its workers. */
  #scriptTasks;
  #workers;
  /** The options that only a pool with a script has, as they stand. */
  #scriptOptions;

  constructor(scriptOrOptions, sizeOrOptions, more) {
    super();
    const hasScript = typeof scriptOrOptions === 'string' || typeof scriptOrOptions?.href === 'string';
    refuseMore(hasScript, scriptOrOptions, sizeOrOptions, more);
    if (scriptOrOptions === undefined) scriptOrOptions = {};
    if (sizeOrOptions === undefined) sizeOrOptions = {};
    const options = hasScript ? scriptPoolOptions(sizeOrOptions) : nativePoolOptions(scriptOrOptions);
    this.#settings = poolSettings(options);
    if (hasScript) this.#openScript(scriptOrOptions, options, typeof sizeOrOptions === 'number');
    else {
      loadCodec();
      this.#open(new NativePool(binding, binding.createPool(this.#settings)));
    }
    closing.register(this, this.#native.handle, this);
  }

  /** @param {(then: (failure?: Error) => void) => void} [whenLoaded] as `Admission` takes it */
  #open(native, whenLoaded) {
    this.#native = native;
    this.#admission = new Admission(this, native, this.#settings.maxQueue, whenLoaded);
    this.#tasks = this.#nativeTasks = new NativeSubmitter(native, this.#admission, this.#settings.maxQueue);
    inheritance?.inherit(this.#nativeTasks);
  }

  #openScript(script, options, fixed) {
    const settings = scriptSettings(options, this.#settings, fixed);
    this.#scriptOptions = settings.shown;
    const url = locateScript(script);
    refuseOwnScript(url);
    const fallbackPorts = fallbackPortsOf(binding, delivery);
    const native = new NativeScriptPool(binding, binding.createPool(this.#settings), fallbackPorts);
    const events = new WorkerEvents(this, WorkerPool.#runNested);
    const workers = (this.#workers = new WorkerManager({ pool: native, delivery, fallbackPorts, script: url, settings, events }));
    this.#open(native, (then) => workers.whenLoaded(then));
    this.#scriptTasks = new ScriptSubmitter(native, delivery, this.#admission, settings);
    this.#tasks = new TaskRouter(native, this.#nativeTasks, this.#scriptTasks, this.#admission);
    inheritance?.inherit(this.#scriptTasks);
    inheritance?.inherit(this.#tasks);
    try {
      workers.fill();
    } catch (error) {
      binding.closePool(native.handle, BY_FORCE, ANNOUNCED);
      throw error;
    }
    // Now, while these start on threads of their own.
    loadCodec();
  }

  /** Runs a task of a task of its script, also while the pool closes. */
  static #runNested(pool, task, ...given) {
    if (task === '') pool.#scriptTasks.run(task, ...given);
    else pool.#tasks.run(task, ...given);
  }

  run(task, input, options) {
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#admission.isClosed) reject(closedError(task));
    else this.#tasks.run(task, input, options, resolve, reject);
    return promise;
  }

  runTask(input, options) {
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#scriptTasks === undefined) {
      reject(new UnknownTaskError('This pool has no script. Give it one, new WorkerPool(script, options), or run a native task by its name: run(name, input)'));
    } else if (this.#admission.isClosed) {
      reject(closedError(''));
    } else {
      this.#scriptTasks.run('', input, options, resolve, reject);
    }
    return promise;
  }

  runSync(task, input, options) {
    return (runSync ??= require('./run-sync').runSync)(this.#native, this.#admission, this.#tasks, task, input, options);
  }

  map(task, inputs, options = {}) {
    return new Promise((resolve, reject) => {
      const owner = this.#tasks.ownerOf(task);
      if (owner === NOBODY) throw unknownTask(task, this.#scriptTasks !== undefined);
      const checked = mapOptions(options, owner === NATIVE);
      validateIterable(inputs, 'inputs');
      if (this.#admission.isClosed) throw closedError(task);
      const isAsync = typeof inputs[Symbol.asyncIterator] === 'function';
      if (owner === NATIVE && !isAsync && !checked.settle) this.#nativeTasks.map(task, inputs, checked, resolve, reject);
      else this.#mapInputByInput(task, owner, inputs, isAsync, checked, resolve, reject);
    });
  }

  scope(options, block) {
    return require('../structure/scope').openScope(this, options, block);
  }

  stream(task, source, options) {
    return require('./flow').stream(this.#parts(), task, source, options);
  }

  iterate(task, input, options) {
    return require('./parts').iterate(this.#parts(), task, input, options);
  }

  transform(task, options) {
    return require('./flow').transform(this.#parts(), task, options);
  }

  /** What the calls of flow.js and parts.js need of this pool. */
  #parts() {
    return {
      pool: this,
      native: this.#native,
      tasks: this.#tasks,
      admission: this.#admission,
      scriptTasks: this.#scriptTasks,
      threadsFor: (owner) => this.#threadsFor(owner),
      settings: this.#settings,
      maps: this.#maps,
    };
  }

  /** Input by input: those of an async source, or for the script. */
  #mapInputByInput(task, owner, inputs, isAsync, options, resolve, reject) {
    const isNative = owner === NATIVE;
    const { maxQueue } = this.#settings;
    // A pool that closes finishes the accepted inputs: all of an array; of an async source those that have come so far.
    const finishesOnClose = !isAsync;
    const map = new InputByInputMap(resolve, reject, task, options, {
      threads: () => this.#threadsFor(owner),
      maxQueue,
      isNative,
      finishesOnClose,
      holds: this.#native.holds,
      sharesWorkers: !isNative && this.#scriptTasks.separates,
      admission: this.#admission,
      ownerOf: () => this.#tasks.ownerOf(task),
      submit: (input, submitted) => {
        if (!finishesOnClose) return this.run(task, input, submitted);
        const promise = new Promise(capture);
        const { resolve: done, reject: failed } = captured;
        this.#tasks.run(task, input, submitted, done, failed);
        return promise;
      },
      catchUp: () => this.#native.catchUp(),
      onSettled: () => {
        if (this.#maps.delete(map) && finishesOnClose && this.#admission.isClosed) this.#closeWhenMapped();
      },
    });
    ensureStack();
    this.#maps.add(map);
    map.run(inputs);
  }

  /** How many tasks of this owner may run at once. */
  #threadsFor(owner) {
    const scripts = this.#workers?.capacity ?? 0;
    return owner === SCRIPT ? scripts : Math.max(this.#counters().maxThreads, owner === UNDECIDED ? scripts : 0);
  }

  resize(options) {
    const { minThreads, maxThreads, maxThreadsFrom } = this.#counters();
    const now = { minThreads, maxThreads };
    const { closed } = this;
    require('./resize').resize(options, { now, from: maxThreadsFrom, native: this.#native, workers: this.#workers, closed });
    // A stream goes on with as many at a time as it began with.
    for (const map of [...this.#maps]) map.resized?.();
    this.#admission.lookAgain();
  }

  proxy(options) {
    return require('./proxy').poolProxy(this, this.#native.workers, options);
  }

  close(options = {}) {
    try {
      const { force, timeout, cancelQueued } = closeOptions(options);
      if (this.#closing === undefined) this.#closing = this.#close(force, cancelQueued);
      else if (cancelQueued) this.#dropQueued(true);
      if (force) this.#force();
      else if (timeout !== undefined) this.#forceAfter(timeout);
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #close(force, cancelQueued) {
    ensureStack();
    closing.unregister(this);
    const { handle } = this.#native;
    // Until the threads have ended, also when nothing runs: so that `await pool.close()` always returns.
    delivery.hold(1);
    return new Promise((resolve) => {
      delivery.addPool(handle, (counters) => {
        this.#lastCounters = counters;
        delivery.checkAnswered(this.#native);
        // The native side may give the handle to the next pool.
        this.#native.handle = NO_HANDLE;
        // Not at once: rejections that came with this take some microtasks to reach the code that awaits them.
        setImmediate(() => {
          delivery.hold(-1);
          resolve();
          this.emit('close');
        });
      });
      this.#admission.isClosed = true;
      // First, so that they know that it is no close: what follows wakes them.
      if (force) this.#workers?.destroy();
      for (const map of [...this.#maps]) map.poolCloses();
      if (cancelQueued) this.#dropQueued(true);
      this.#closeWhenMapped();
    });
  }

  /** Closes the native side, once the inputs of every map that was accepted have been submitted and are done. */
  #closeWhenMapped() {
    for (const map of this.#maps) if (map.finishesOnClose) return;
    this.#admission.whenDispatched(() => {
      if (this.#nativeCloses) return;
      this.#nativeCloses = true;
      binding.closePool(this.#native.handle, GRACEFULLY, ANNOUNCED);
      this.#workers?.close();
    });
  }

  cancelQueued() {
    return this.#dropQueued(false);
  }

  /** @param {boolean} closes whether the pool closes by that */
  #dropQueued(closes) {
    const parts = { native: this.#native, admission: this.#admission, maps: this.#maps };
    return require('./cancel-queued').cancelQueued(parts, closes);
  }

  #force() {
    for (const map of [...this.#maps]) map.end(new PoolClosedError('the pool was destroyed before every input was done'));
    this.#admission.clear(() => new PoolClosedError('the pool was closed before the task began'));
    this.#workers?.destroy();
    binding.closePool(this.#native.handle, BY_FORCE, UNANNOUNCED);
  }

  #forceAfter(timeout) {
    const timer = setTimeout(() => this.#force(), Math.min(timeout, LONGEST_TIMER));
    this.#closing.then(() => clearTimeout(timer));
  }

  destroy() {
    return this.close({ force: true });
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  ref() {
    return this.#setHolds(true);
  }

  unref() {
    return this.#setHolds(false);
  }

  #setHolds(holds) {
    const native = this.#native;
    if (native.holds !== holds) {
      native.holds = holds;
      delivery.hold(holds ? native.inFlight : -native.inFlight);
    }
    return this;
  }

  #counters() {
    return this.#lastCounters ?? binding.poolCounters(this.#native.handle);
  }

  get ready() {
    return this.#workers === undefined ? Promise.resolve() : this.#workers.ready;
  }

  get workers() {
    return this.#workers?.list ?? [];
  }

  async recycle(id) {
    if (this.#workers !== undefined) return this.#workers.recycle(id);
    if (id !== undefined) require('../script-pool/worker-list').workerOf(new Map(), id);
  }

  get threads() {
    return this.#counters().threads;
  }

  get queueSize() {
    return this.#counters().queued;
  }

  get completed() {
    return this.#counters().completed;
  }

  get needsDrain() {
    return this.#admission.needsDrain || (this.#settings.maxQueue === Infinity && this.#queue().isFull());
  }

  /** What says whether tasks wait, where `maxQueue` does not. */
  #queue() {
    if (this.#emptied === undefined) {
      const { Emptied } = require('./emptied');
      this.#emptied = new Emptied(this, this.#native);
    }
    return this.#emptied;
  }

  on(event, listener) {
    return this.#listened(event, super.on(event, listener));
  }

  addListener(event, listener) {
    return this.#listened(event, super.addListener(event, listener));
  }

  prependListener(event, listener) {
    return this.#listened(event, super.prependListener(event, listener));
  }

  #listened(event, self) {
    if (event === 'drain' && this.#settings.maxQueue === Infinity) this.#queue().watch();
    return self;
  }

  get closed() {
    return this.#closing !== undefined;
  }

  get utilization() {
    const { runTime, capacityTime } = this.#counters();
    return partOf(runTime, capacityTime);
  }

  get options() {
    const { maxThreadsFrom: _, ...settings } = this.#settings;
    const { minThreads, maxThreads } = this.#counters();
    return { ...settings, minThreads, maxThreads, ...this.#scriptOptions };
  }

  [inspect.custom](depth, options, inspectValue) {
    const { name } = this.#settings;
    const { maxThreads, threads, running, queueSize } = this.stats();
    const shown = { name, maxThreads, threads, running, queueSize, closed: this.closed };
    return `WorkerPool ${inspectValue(shown, options)}`;
  }

  stats(options) {
    const {
      idle, queued, waitTime, runTime, nativeRunTime, capacityTime, nativeCapacityTime, minThreads, maxThreads, maxThreadsFrom,
      times, ...counts
    } = this.#counters();
    const utilizationByKind = {
      native: partOf(nativeRunTime, nativeCapacityTime),
      script: partOf(runTime - nativeRunTime, capacityTime - nativeCapacityTime),
    };
    const stats = {
      ...counts, idleThreads: idle, queueSize: queued, waitTime, runTime, utilization: partOf(runTime, capacityTime),
      utilizationByKind, minThreads, maxThreads, maxThreadsFrom: SIZE_FROM[maxThreadsFrom],
    };
    if (options === undefined) return stats;
    const { showTimes, statsOptions } = require('../seeing/task-times');
    const { tasks, reset } = statsOptions(options);
    if (!tasks && !reset) return stats;
    const told = times ?? binding.poolTimes(this.#native.handle, reset);
    return tasks ? { ...stats, ...showTimes(told, this.#scriptTasks !== undefined) } : stats;
  }
}

/** The part that one time is of another; threads that are too many may have run beyond it. */
function partOf(time, whole) {
  return whole <= 0 ? 0 : Math.min(1, time / whole);
}

function closedError(task) {
  return new PoolClosedError('the pool is closed and takes no more tasks', { task });
}

/**
 * The events that workers report to the pool. Workers must not keep alive a pool that everybody else has forgotten. But while a
 * worker starts, its outcome is still to be told, perhaps to a listener that alone has the pool: `await once(pool, 'error')`.
 */
class WorkerEvents {
  #pool;
  #kept;

  #runNested;

  /**
   * @param {WorkerPool} pool
   * @param {(pool: WorkerPool, task: string, input: unknown, options: object, resolve: Function, reject: Function) => void} runNested
   */
  constructor(pool, runNested) {
    this.#pool = new WeakRef(pool);
    this.#runNested = runNested;
  }

  /** A task of the script submits one. */
  runNested(task, input, options, resolve, reject) {
    const pool = this.#pool.deref();
    if (pool === undefined) reject(closedError(task));
    else this.#runNested(pool, task, input, options, resolve, reject);
  }

  /** @param {boolean} isStarting whether a worker of the pool is starting */
  keepPool(isStarting) {
    this.#kept = isStarting ? this.#pool.deref() : undefined;
  }

  emit(event, ...values) {
    callUser(emitOfWorker, this.#pool.deref(), event, values);
  }
}

/** Tells the pool's listeners what a worker did; `this` is the pool, or undefined where nobody has it any more. */
function emitOfWorker(event, values) {
  if (this === undefined) return;
  if (event === 'error' && this.listenerCount('error') === 0) {
    process.emitWarning(
      `A worker of the pool failed: ${values[0]?.stack ?? values[0]}\n` +
        "Listen to the pool's 'error', and await in a task all that it begins",
      'RustWorkersWarning',
    );
    return;
  }
  this.emit(event, ...values);
}

module.exports = { WorkerPool };
