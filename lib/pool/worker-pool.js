'use strict';

/** The public class of a pool: its options, `run` and `map`, events, `close`, and its counters. */

const { EventEmitter } = require('node:events');
const { inspect } = require('node:util');

const { RUNNER, binding } = require('../native');
const { deliveryOf } = require('../delivery');
const { PoolClosedError, UnknownTaskError, takesNoMoreTasks } = require('../errors');
const { mapOptions } = require('../flow/options');
// Before the first thread.
require('../debug-log');
const { forgotten } = require('../forgotten');
const { lineOf } = require('../inspection');
const { NO_SEED } = require('../task/deterministic');
const { closeOptions, nativePoolOptions, poolSettings, refuseMore, sharesRuns } = require('../task/options');
const { scriptPoolOptions } = require('../script-pool/script-options');
const { addActiveResources } = require('../runtime/active-resources');
const { ensureStack } = require('../runtime/stack-overflow');
const { isTraced, trace, traceSync } = require('../seeing/task-channel');
const { validateIterable } = require('../validators');
const { namedLimits, tasksOf } = require('../task/task-limits');
const { loadCodec } = require('../task/encode-input');
const { ANNOUNCED, BY_FORCE, GRACEFULLY, NativePool } = require('../task/native-pool');
const { NativeSubmitter } = require('./native-submitter');
const { NATIVE, NOBODY, SCRIPT, TaskRouter, UNDECIDED, unknownTask } = require('./task-router');
const { Admission } = require('./admission');
const { Kept } = require('./kept');
// Not when a pool closes: by then `require` may give another copy of the addon.
const { Closing } = require('./closing');

const delivery = deliveryOf(binding);

addActiveResources(() => delivery.activeResources());

/** In a worker of a pool, tasks get something from the running one. */
const inheritance = binding[RUNNER] === undefined ? undefined : require('../structure/inheritance');

/** Closes the native side of pools that were forgotten without `close()`. */
const forgottenPools = forgotten('closePool', GRACEFULLY, ANNOUNCED);

/** The functions of the promise made last: an executor of its own for each would be two more objects a task. */
const captured = { resolve: undefined, reject: undefined };
const capture = (resolve, reject) => {
  captured.resolve = resolve;
  captured.reject = reject;
};

/** Loaded when it is first called. */
let runSync;

/** What `WorkerPool.open` has opened, for the constructor that it calls. */
let opened;

const asItIs = (error) => error;

/** How a call is named beside the frames of its caller. */
function calledAs(method, task) {
  if (task === undefined) return `WorkerPool.${method}`;
  return `WorkerPool.${method} (${typeof task === 'function' ? `function '${task.name}'` : `task '${String(task)}'`})`;
}

class WorkerPool extends EventEmitter {
  #settings;
  #native;
  #admission;
  /** Submits tasks by name: native ones, and those of the script where there is one. */
  #tasks;
  #nativeTasks;
  /** Maps of which not every input was submitted, or is done. */
  #maps = new Set();
  /** What the options `dedupe`, `cache` and `retries` need; made for the first. */
  #sharedRuns;
  /** Says where a task was submitted, where that is wanted: call-sites.js. */
  #callSites;
  /** What `close()` has begun, once it was called. */
  #closing;
  /** Looks after 'drain' in a pool without `maxQueue`, once somebody listens. */
  #emptied;
  /** Keeps it while only a listener has it, and what that waits for is to come; once there is a listener, or a worker. */
  #kept;
  /** The last counters, once the pool has closed. */
  #lastCounters;
  /** Traces that record it, and pages that show it. */
  #watchers = new Set();

  /** The script's tasks, in a pool that has a script; its workers. */
  #scriptTasks;
  #workers;
  /** The side of a pool without a script that runs functions, once it has one: `{ native, scriptTasks }`. */
  #functions;
  /** The options that only a pool with a script has, as they stand. */
  #scriptOptions;

  constructor(scriptOrOptions, sizeOrOptions, more) {
    super();
    if (opened !== undefined) return this.#openOpened();
    const hasScript = typeof scriptOrOptions === 'string' || typeof scriptOrOptions?.href === 'string';
    refuseMore(hasScript, scriptOrOptions, sizeOrOptions, more);
    if (scriptOrOptions === undefined) scriptOrOptions = {};
    if (sizeOrOptions === undefined) sizeOrOptions = {};
    const options = hasScript ? scriptPoolOptions(sizeOrOptions) : nativePoolOptions(scriptOrOptions);
    this.#settings = poolSettings(options);
    if (hasScript) this.#openScript(scriptOrOptions, options, typeof sizeOrOptions === 'number');
    else {
      loadCodec();
      this.#open(new NativePool(binding, binding.createPool(this.#settings, namedLimits(this.#settings, false))));
    }
    if (this.#settings.callSites) this.#callSites = require('./call-sites');
    forgottenPools.register(this, this.#native.handle, this);
  }

  static open(name, options, ...more) {
    opened = require('./opened').openPool(name, options, more);
    return new WorkerPool();
  }

  #openOpened() {
    const { native, settings } = opened;
    opened = undefined;
    loadCodec();
    this.#settings = settings;
    this.#open(native);
    const { OpenedSubmitter } = require('./opened');
    this.#tasks = this.#nativeTasks = new OpenedSubmitter(native, this.#admission, settings.maxQueue);
    if (settings.callSites) this.#callSites = require('./call-sites');
    forgottenPools.register(this, native.handle, this);
    return this;
  }

  /** @param {(then: (failure?: Error) => void) => void} [whenLoaded] as `Admission` takes it */
  #open(native, whenLoaded) {
    this.#native = native;
    native.tasks = tasksOf(this.#settings);
    if (this.#settings.deterministic !== NO_SEED) require('./deterministic').takeSteps(native);
    this.#admission = new Admission(this, native, this.#settings.maxQueue, whenLoaded);
    this.#tasks = this.#nativeTasks = new NativeSubmitter(native, this.#admission, this.#settings.maxQueue);
    inheritance?.inherit(this.#nativeTasks);
  }

  #openScript(script, options, fixed) {
    const { sideOfScript } = require('./script-side');
    this.#kept = new Kept(this);
    const side = sideOfScript(this, script, options, this.#settings, fixed, this.#kept, WorkerPool.#runNested, WorkerPool.#runCalled);
    const { native, workers, settings } = side;
    this.#workers = workers;
    this.#scriptOptions = settings.shown;
    this.#open(native, (then) => workers.whenLoaded(then));
    this.#scriptTasks = side.submitter(this.#admission);
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

  /** Runs a function of its script for a native task that calls it, also while the pool closes. */
  static #runCalled(pool, name, ...given) {
    pool.#scriptTasks.run(name, ...given);
  }

  run(task, input, options) {
    if (isTraced()) return this.#trace('run', task, input, [task, input, options]);
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#admission.isClosed) reject(takesNoMoreTasks(task));
    else if (options !== undefined && sharesRuns(options)) this.#runShared(this.#tasks, task, input, options, resolve, reject);
    else this.#tasks.run(task, input, options, resolve, reject);
    return this.#callSites === undefined ? promise : this.#follow(promise, 'run', task);
  }

  /** With one of the options `dedupe`, `cache` and `retries`. */
  #runShared(tasks, task, input, options, resolve, reject) {
    const owner = tasks === this.#tasks ? tasks.ownerOf(task, options) : SCRIPT;
    this.#shared().run(tasks, owner, task, input, options, resolve, reject);
  }

  #shared() {
    if (this.#sharedRuns === undefined) {
      const { SharedRuns } = require('./shared-runs');
      this.#sharedRuns = new SharedRuns(this.#native, this.#admission, this.#settings.cache);
    }
    return this.#sharedRuns;
  }

  get cache() {
    return this.#shared().cache;
  }

  runTask(input, options) {
    if (isTraced()) return this.#trace('runTask', '', input, [input, options]);
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#scriptTasks === undefined) {
      reject(noScript('run a native task by its name: run(name, input)'));
    } else if (this.#admission.isClosed) {
      reject(takesNoMoreTasks(''));
    } else if (options !== undefined && sharesRuns(options)) {
      this.#runShared(this.#scriptTasks, '', input, options, resolve, reject);
    } else {
      this.#scriptTasks.run('', input, options, resolve, reject);
    }
    return this.#callSites === undefined ? promise : this.#follow(promise, 'runTask');
  }

  runSync(task, input, options) {
    if (isTraced()) {
      const context = { pool: this, method: 'runSync', task, input };
      return traceSync(context, () => this.runSync(task, input, options));
    }
    return (runSync ??= require('./run-sync').runSync)(this.#native, this.#admission, this.#tasks, task, input, options);
  }

  map(task, inputs, options = {}) {
    if (isTraced()) return this.#trace('map', task, inputs, [task, inputs, options]);
    const promise = new Promise((resolve, reject) => {
      const owner = this.#tasks.ownerOf(task, options);
      if (owner === NOBODY) throw unknownTask(this.#native, task, this.#scriptTasks !== undefined);
      const checked = mapOptions(options, owner === NATIVE);
      validateIterable(inputs, 'inputs');
      if (checked.filename !== undefined) {
        checked.filename = require('../script-pool/script-location').locateScript(checked.filename, 'options.filename');
      }
      if (this.#admission.isClosed) throw takesNoMoreTasks(task);
      const isAsync = typeof inputs[Symbol.asyncIterator] === 'function';
      // Each input that reports, settles or has a key is a task of its own.
      const asOne = !isAsync && !checked.settle && checked.key === undefined && checked.onProgress === undefined;
      if (owner === NATIVE && asOne) this.#nativeTasks.map(task, inputs, checked, resolve, reject);
      else {
        ensureStack();
        require('./map').mapInputByInput(this.#parts(), task, owner, inputs, isAsync, checked, resolve, reject);
      }
    });
    return this.#callSites === undefined ? promise : this.#follow(promise, 'map', task);
  }

  /** The promise of a call, whose error says where the call stands, if that is wanted. */
  #follow(promise, method, task) {
    return this.#callSites === undefined ? promise : this.#callSites.follow(promise, calledAs(method, task));
  }

  /** A call of a method, of which subscribers of the tracing channel are told. No caller makes a function for it: that would cost each call. */
  #trace(method, task, input, given) {
    return trace({ pool: this, method, task, input }, () => this[method](...given));
  }

  monitor(options) {
    return require('../seeing/monitor').openMonitor(this.#watched(), options);
  }

  trace(options) {
    return require('../seeing/trace').openTrace(this.#watched(), options);
  }

  profile(milliseconds, options = {}) {
    const workersOf = () => this.workers.map(({ id }) => ({ id, thread: this.#workers.get(id)?.thread })).filter(({ thread }) => thread);
    return require('../seeing/cpu-profile').profile({ name: this.#settings.name, workersOf }, milliseconds, options);
  }

  /** What traces and pages need of this pool. */
  #watched() {
    const { name } = this.#settings;
    const [native, watchers, workers] = [this.#native, this.#watchers, this.#workers];
    return { pool: this, binding, native, name, hasScript: workers !== undefined, watchers, workerOf: (number) => workers?.get(number) };
  }

  scope(options, block) {
    return require('../structure/scope').openScope(this, options, block);
  }

  stream(task, source, options) {
    return require('./flow').stream(this.#parts(), task, source, options);
  }

  forEach(task, inputs, options) {
    if (isTraced()) return this.#trace('forEach', task, inputs, [task, inputs, options]);
    return this.#follow(require('./flow').forEach(this.#parts(), task, inputs, options), 'forEach', task);
  }

  reduce(task, inputs, initial, options) {
    if (isTraced()) return this.#trace('reduce', task, inputs, [task, inputs, initial, options]);
    return this.#follow(require('./flow').reduce(this.#parts(), task, inputs, initial, options), 'reduce', task);
  }

  iterate(task, input, options) {
    return require('./parts').iterate(this.#parts(), () => this.#withWorkers(), task, input, options);
  }

  transform(task, options) {
    return require('./flow').transform(this.#parts(), task, options);
  }

  exec(fn, args, options) {
    return this.#follow(require('./exec').exec(this, this.#parts(), () => this.#withWorkers(), fn, args, options), 'exec', fn);
  }

  /** The script's side; a pool without a script gets one, whose workers run functions alone. */
  #withWorkers() {
    if (this.#scriptTasks !== undefined) return { native: this.#native, scriptTasks: this.#scriptTasks };
    this.#functions ??= this.#openFunctions();
    return this.#functions;
  }

  #openFunctions() {
    const { sideOfFunctions } = require('./script-side');
    const settings = { ...this.#settings, minThreads: 0, maxThreads: this.#counters().maxThreads };
    const side = sideOfFunctions(this, this.#native, settings, this.#keeps());
    this.#workers = side.workers;
    const scriptTasks = side.submitter(this.#admission);
    inheritance?.inherit(scriptTasks);
    return { native: side.native, scriptTasks };
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
      placer: (method, task) => this.#callSites?.placer(calledAs(method, task)) ?? asItIs,
      maps: this.#maps,
      nativeTasks: this.#nativeTasks,
      mapSettled: (map) => {
        if (this.#maps.delete(map)) this.#closing?.mapSettled(map);
      },
      run: (task, input, options) => {
        const promise = new Promise(capture);
        const { resolve, reject } = captured;
        this.#tasks.run(task, input, options, resolve, reject);
        return promise;
      },
    };
  }

  broadcast(task, input, options) {
    return this.#follow(this.#broadcast(task, input, options), 'broadcast', task);
  }

  async #broadcast(task, input, options) {
    if (this.#scriptTasks === undefined) throw noScript('run a native task by its name: run(name, input)');
    if (this.#admission.isClosed) throw takesNoMoreTasks(task);
    const tasks = this.#scriptTasks;
    const run = (name, value, given, alone) =>
      new Promise((resolve, reject) => tasks[alone ? 'runAlone' : 'run'](name, value, given, resolve, reject));
    return this.#workers.broadcasts(run).broadcast(task, input, options);
  }

  postMessage(value, ...rest) {
    if (this.#scriptTasks === undefined) throw noScript('send no messages: its threads run no JavaScript');
    return require('../script-pool/broadcasts').postToAll(this.#workers.threads, value, rest);
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

  use(pack) {
    if (this.#admission.isClosed) throw new PoolClosedError('the pool is closed and uses no more packs');
    this.#native.tasks = this.#native.tasks.with(require('../task/packs').loadPack(pack));
    if (this.#native.engine !== undefined) require('./engine').nameTasks(this.#native);
    return this;
  }

  light(functions, options) {
    return require('./light').light(this, (...call) => this.#runInto(...call), functions, options);
  }

  /**
   * Runs a task whose promise is somebody else's: `resolve` gets what `settleBy` of lib/answer-errors.js takes apart. As `run`, but that the
   * options have none of `dedupe`, `cache` and `retries` without a promise in between.
   */
  #runInto(task, input, options, resolve, reject) {
    if (this.#callSites !== undefined || isTraced() || (options !== undefined && sharesRuns(options))) this.run(task, input, options).then(resolve, reject);
    else if (this.#admission.isClosed) reject(takesNoMoreTasks(task));
    else this.#tasks.run(task, input, options, resolve, reject);
  }

  get engine() {
    const engine = require('./engine').engineOf(this.#native, this.#settings, this.#admission.isClosed);
    this.#nativeTasks.shareQueue();
    return engine;
  }

  proxy(options) {
    return require('./proxy').poolProxy(this, this.#native, options);
  }

  close(options = {}) {
    try {
      const { force, timeout, cancelQueued } = closeOptions(options);
      if (this.#closing === undefined) this.#close(force, cancelQueued);
      else if (cancelQueued) this.#closing.cancelQueued();
      if (force) this.#closing.force();
      else if (timeout !== undefined) this.#closing.forceAfter(timeout);
      return this.#closing.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #close(force, cancelQueued) {
    ensureStack();
    forgottenPools.unregister(this);
    this.#closing = new Closing({
      ...this.#parts(),
      natives: () => this.#natives(),
      workers: () => this.#workers,
      watchers: this.#watchers,
      ended: (counters) => {
        this.#lastCounters = counters;
      },
    });
    this.#closing.begin(force, cancelQueued);
  }

  cancelQueued() {
    return require('./cancel-queued').cancelQueued(this.#parts(), false);
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

  #natives() {
    return this.#functions === undefined ? [this.#native] : [this.#native, this.#functions.native];
  }

  #setHolds(holds) {
    for (const native of this.#natives()) {
      if (native.holds === holds) continue;
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
    this.#keeps().listened(event);
    return self;
  }

  // `off` is another name for it only where nothing is overridden.
  off(event, listener) {
    return this.removeListener(event, listener);
  }

  removeListener(event, listener) {
    super.removeListener(event, listener);
    this.#kept?.listened(event);
    return this;
  }

  removeAllListeners(...events) {
    super.removeAllListeners(...events);
    this.#kept?.listened(events[0]);
    return this;
  }

  #keeps() {
    if (this.#kept === undefined) {
      this.#kept = new Kept(this);
      this.#kept.add(this.#native);
    }
    return this.#kept;
  }

  get closed() {
    return this.#closing !== undefined;
  }

  get utilization() {
    return require('./pool-stats').utilizationOf(this.#counters());
  }

  get options() {
    const { maxThreadsFrom: _, deterministic, ...settings } = this.#settings;
    const { minThreads, maxThreads } = this.#counters();
    const seed = deterministic === NO_SEED ? undefined : { deterministic };
    return { ...settings, minThreads, maxThreads, ...seed, ...this.#scriptOptions };
  }

  [inspect.custom](depth, options, inspectValue) {
    return lineOf(this, () => this.#state(), options, inspectValue);
  }

  /** What is shown of it. */
  #state() {
    const { name } = this.#settings;
    const { maxThreads, threads, workers, running, queueSize } = this.stats();
    const ofScript = this.#workers === undefined ? undefined : workers;
    return { name, maxThreads, threads, workers: ofScript, running, queueSize, closed: this.closed };
  }

  stats(options) {
    const counters = this.#counters();
    const hasScript = this.#scriptTasks !== undefined;
    return require('./pool-stats').statsOf({ counters, native: this.#native, sharedRuns: this.#sharedRuns, hasScript }, options);
  }
}

function noScript(orElse) {
  return new UnknownTaskError(`This pool has no script. Give it one, new WorkerPool(script, options), or ${orElse}`);
}

module.exports = { WorkerPool };
