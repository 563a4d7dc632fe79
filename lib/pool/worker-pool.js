'use strict';

const { EventEmitter } = require('node:events');
const { inspect } = require('node:util');

const { binding } = require('../native');
const { clearTimeout, now, setImmediate, setTimeout } = require('../runtime/clock');
const { deliveryOf } = require('../delivery');
const { errorFromCode, PoolClosedError, UnknownTaskError } = require('../errors');
const { forgotten } = require('../forgotten');
const { prepareInput, prepareInputs } = require('./inputs');
const { OneByOne } = require('./map-one-by-one');
const { nextTick } = require('../runtime/globals');
const { Pending } = require('../pending');
const { closeTerms, nativePoolOptions, poolSettings, runTerms } = require('../pool-options');
const { PoolRecord, isSeen } = require('./pool-record');
const { fallbackPortsOf } = require('../script-pool/fallback-ports');
const { WorkerManager } = require('../script-pool/worker-manager');
const { locateScript } = require('../script-pool/script-location');
const { scriptPoolOptions, scriptSettings, scriptTerms } = require('../script-pool/script-options');
const { ScriptRecord } = require('../script-pool/script-record');
const { ScriptSubmitter } = require('../script-pool/submit');
const { comesBack, givenBack, orGiven, prepareFor, prepareForAll, readOnce, withParallel } = require('../shared-buffer/task-inputs');
const { isNativeOnly, taskIndex, taskName, taskNames } = require('../tasks');
const { ensureStack } = require('../runtime/stack-overflow');
const { TaskTransfer } = require('../transfer/task-transfer');
const { callUser } = require('../user-code');
const { validateIterable } = require('../validators');

const delivery = deliveryOf(binding);

/** Closes the native side of pools that were forgotten without `close()`. */
const closing = forgotten('closePool', false, true);

/** The functions of the promise made last: an executor of its own for each would be two more objects a task. */
const captured = { resolve: undefined, reject: undefined };
const capture = (resolve, reject) => {
  captured.resolve = resolve;
  captured.reject = reject;
};

/** No pool has it: what is submitted under it is refused as to a closed pool. */
const NO_HANDLE = 2 ** 32 - 1;

/** Told to `closePool`. */
const GRACEFULLY = false;
const BY_FORCE = true;

/** Who runs a task, where it is no native task's index: the script; one of both, as it will turn out; nobody. */
const SCRIPT = -1;
const UNDECIDED = -2;
const NOBODY = -3;

const QUEUE_FULL = 'ERR_RW_QUEUE_FULL';

/** Errors of submissions that found the queue full. */
const refusals = new WeakSet();

class WorkerPool extends EventEmitter {
  #settings;
  #record;
  #madeAt = now();
  #needsDrain = false;
  /** What waits for room in the queue. */
  #waitingForRoom = new Set();
  /** Maps of which not every input was submitted, or is done. */
  #maps = new Set();
  /** Whether tasks are refused here: the native side is still open for these maps. */
  #refuses = false;
  /** The promise of `close()`, once it was called. */
  #closing;
  /** The last counters, once the pool has closed. */
  #lastCounters;

  /** The script's workers, in a pool that has one. */
  #manager;
  /** How tasks reach them. */
  #submitter;
  /** Tasks that its workers may run at once. */
  #scriptCapacity = 0;

  constructor(scriptOrOptions = {}, sizeOrOptions = {}) {
    super();
    const hasScript = typeof scriptOrOptions === 'string' || typeof scriptOrOptions?.href === 'string';
    const options = hasScript ? scriptPoolOptions(sizeOrOptions) : nativePoolOptions(scriptOrOptions);
    this.#settings = poolSettings(options);
    if (hasScript) this.#openScript(scriptOrOptions, options, typeof sizeOrOptions === 'number');
    else this.#record = new PoolRecord(binding, binding.createPool(this.#settings));
    closing.register(this, this.#record.handle, this);
  }

  #openScript(script, options, fixed) {
    const settings = scriptSettings(options, this.#settings, fixed);
    this.#scriptCapacity = settings.most * settings.concurrency;
    const url = locateScript(script);
    const ways = fallbackPortsOf(binding, delivery);
    const record = new ScriptRecord(binding, binding.createPool(this.#settings), ways);
    this.#record = record;
    const emit = emitterOf(new WeakRef(this));
    const manager = (this.#manager = new WorkerManager({ binding, ways, delivery, record, script: url, settings, emit }));
    this.#submitter = new ScriptSubmitter({
      binding, delivery, record, manager, settings,
      isClosed: () => this.#refuses,
      becameFull: () => this.#becameFull(),
      queueFull: (...refusal) => this.#queueFull(...refusal),
      refused: (...refusal) => this.#answered(...refusal),
    });
    try {
      this.#manager.fill();
    } catch (error) {
      binding.closePool(record.handle, BY_FORCE, true);
      throw error;
    }
  }

  run(task, input, options) {
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#refuses) {
      reject(closedError(task));
      return promise;
    }
    const runner = this.#runnerOf(task);
    // Spelled out: two more calls cost a tiny task a tenth of its time.
    if (runner < 0 || options !== undefined) this.#start(runner, task, input, options, resolve, reject);
    else if (typeof input === 'number') this.#runDirect(runner, 1, input, resolve);
    else if (input === undefined) this.#runDirect(runner, 0, 0, resolve);
    else this.#runPlain(runner, input, resolve, reject);
    return promise;
  }

  runTask(input, options) {
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#submitter === undefined) {
      reject(new UnknownTaskError('This pool has no script: give one to the constructor, or run a native task by name'));
    } else if (this.#refuses) {
      reject(closedError(''));
    } else {
      this.#submitter.run('', input, options, resolve, reject);
    }
    return promise;
  }

  /**
   * Who runs a task of this name. `native:<name>` is always the native task; in a pool with a script, what the script
   * exports comes first, so that a new native task never takes a function's place.
   */
  #runnerOf(task) {
    const index = taskIndex(task);
    const submitter = this.#submitter;
    if (submitter === undefined) return index ?? NOBODY;
    if (typeof task !== 'string') return NOBODY;
    if (isNativeOnly(task)) return index ?? NOBODY;
    if (index === undefined) return SCRIPT;
    const { exports } = submitter;
    if (exports === undefined) return UNDECIDED;
    return exports.has(task) ? SCRIPT : index;
  }

  #start(runner, task, input, options, resolve, reject) {
    if (runner >= 0) this.#runNative(runner, input, options, resolve, reject);
    else if (runner === SCRIPT) this.#submitter.run(task, input, options, resolve, reject);
    else if (runner === NOBODY) reject(unknownTask(task));
    else {
      const native = (...given) =>
        new Promise((done, failed) => this.#runNative(taskIndex(task), ...given, done, failed));
      this.#submitter.runColliding(task, input, options, resolve, reject, native);
    }
  }

  #runNative(index, input, options, resolve, reject) {
    if (options !== undefined) this.#runWith(index, input, options, resolve, reject);
    else if (typeof input === 'number') this.#runDirect(index, 1, input, resolve);
    else if (input === undefined) this.#runDirect(index, 0, 0, resolve);
    else this.#runPlain(index, input, resolve, reject);
  }

  /** A number, or nothing, needs no argument at all: see src/node/call_buffer.rs. */
  #runDirect(index, isNumber, number, resolve) {
    const task = taskName(index);
    const id = delivery.add(resolve, this.#record, task);
    const { call } = delivery;
    call[0] = this.#record.handle;
    call[1] = index;
    call[2] = id;
    call[3] = isNumber;
    call[4] = number;
    try {
      const answer = binding.submitDirect();
      if (answer !== undefined) this.#answered(answer, id, resolve, task, isNumber ? number : undefined);
    } catch (error) {
      this.#failed(id, resolve, error);
    }
  }

  #runPlain(index, input, resolve, reject) {
    const task = taskName(index);
    let form, value, length, parts, given;
    try {
      const read = readOnce(task, input);
      ({ form, value, length, parts } = prepareInput(read, undefined, comesBack(task)));
      prepareFor(task, read);
      given = givenBack(task, read);
    } catch (error) {
      return reject(error);
    }
    const settle = given === undefined ? resolve : (output) => resolve(orGiven(given)(output));
    const id = delivery.add(settle, this.#record, task);
    try {
      const answer = binding.submit(this.#record.handle, index, id, form, value, length, parts);
      if (answer !== undefined) this.#answered(answer, id, resolve, task, input);
    } catch (error) {
      this.#failed(id, resolve, error);
    }
  }

  /** A submission failed half-way: the stack may be used up. Nobody will answer it. */
  #failed(id, resolve, error) {
    delivery.remove(id);
    resolve(Promise.reject(error));
  }

  #runWith(index, input, options, resolve, reject) {
    const task = taskName(index);
    const pending = new Pending(resolve, reject, this.#record, task);
    try {
      const terms = runTerms(options, true);
      // Before the input is read: what its getters do may end the task.
      pending.control(terms);
      if (pending.ended) return;
      // Nor is anything given away to a queue that is full.
      const refusal = terms.transfer === undefined ? null : binding.poolRefusal(this.#record.handle, false);
      if (refusal !== null) return pending.reject(this.#queueFull(refusal, task, input));
      let read = readOnce(task, input);
      const given = givenBack(task, read);
      if (given !== undefined) pending.through(orGiven(given));
      if (terms.parallel) read = withParallel(task, read);
      const { form, value, length, parts, input: taken } = prepareInput(read, terms.transfer, comesBack(task));
      prepareFor(task, read);
      const moved = taken === read ? input : taken;
      if (!pending.ended) this.#submitWith(binding.submitWith, index, pending, terms, [form, value, length, parts], moved);
    } catch (error) {
      if (pending.id !== 0) delivery.remove(pending.id);
      pending.reject(error);
    }
  }

  map(task, inputs, options = {}) {
    return new Promise((resolve, reject) => {
      const runner = this.#runnerOf(task);
      if (runner === NOBODY) throw unknownTask(task);
      const terms = runTerms(options, runner >= 0);
      validateIterable(inputs, 'inputs');
      if (this.#refuses) throw closedError(task);
      const isAsync = typeof inputs[Symbol.asyncIterator] === 'function';
      if (runner >= 0 && !isAsync) this.#mapBatch(runner, inputs, terms, resolve, reject);
      else this.#mapOneByOne(task, runner, inputs, isAsync, terms, options, resolve, reject);
    });
  }

  /** All inputs in one crossing. */
  #mapBatch(index, inputs, terms, resolve, reject) {
    const task = taskName(index);
    const pending = new Pending(resolve, reject, this.#record, task);
    try {
      pending.control(terms);
      if (pending.ended) return;
      // As they are now: what getters among them change counts no more.
      const all = [...inputs];
      if (all.length === 0) {
        if (terms.transfer !== undefined) new TaskTransfer(terms.transfer).finish();
        return pending.resolve(all);
      }
      prepareForAll(task, all, terms.parallel, pending);
      const { form, value, length, parts } = prepareInputs(all, terms.transfer, comesBack(task));
      if (pending.ended) return;
      const prepared = [form, value, length, parts];
      this.#submitWith(binding.submitBatch, index, pending, terms, prepared, inputs, all.length);
    } catch (error) {
      if (pending.id !== 0) delivery.remove(pending.id);
      pending.reject(error);
    }
  }

  /** Input by input: those of an async source, or for the script. */
  #mapOneByOne(task, runner, inputs, isAsync, terms, options, resolve, reject) {
    const isNative = runner >= 0;
    const isDecided = () => runner !== UNDECIDED || this.#submitter.exports !== undefined;
    const { maxThreads, maxQueue } = this.#settings;
    const { onProgress, name, auto } = isNative ? {} : scriptTerms(options);
    const given = { ...terms, onProgress, name, transfer: auto ? 'auto' : terms.transfer };
    // A pool that closes finishes what was accepted: an array as a whole, of an async source what has come so far.
    const accepted = !isAsync;
    let letGo = () => {};
    const map = new OneByOne(resolve, reject, task, given, {
      threads: isNative ? maxThreads : Math.max(this.#scriptCapacity, runner === UNDECIDED ? maxThreads : 0),
      maxQueue,
      isNative,
      isWhole: accepted,
      holds: this.#record.holds,
      start: (input, runOptions) => {
        if (!accepted) return this.run(task, input, runOptions);
        const promise = new Promise(capture);
        const { resolve: done, reject: failed } = captured;
        this.#start(this.#runnerOf(task), task, input, runOptions, done, failed);
        return promise;
      },
      // Whose task it is must be known: what is kept until then is as it was at the call.
      hasRoom: () => isDecided() && binding.poolRefusal(this.#record.handle, this.#runnerOf(task) === SCRIPT) === null,
      catchUp: () => this.#record.catchUp(),
      whenRoom: (act) => {
        if (!isDecided()) {
          letGo = this.#submitter.whenKnown((failure) => (failure === undefined ? act() : map.fail(failure)));
          return;
        }
        this.#waitingForRoom.add(act);
        this.#watch();
      },
      sharesWorkers: !isNative && this.#submitter.separates,
      isRefusal: (error) => refusals.has(error),
      over: () => {
        letGo();
        if (this.#maps.delete(map) && accepted && this.#refuses) this.#closeWhenMapped();
      },
    });
    ensureStack();
    this.#maps.add(map);
    map.run(inputs);
  }

  /** Submits what may end early, or has a priority. */
  #submitWith(submit, index, pending, terms, prepared, input, count) {
    const { priority, signal, timeout } = terms;
    const cancellable = signal !== undefined || timeout !== undefined;
    pending.id = delivery.add(pending, this.#record, pending.task);
    const answer = submit(
      this.#record.handle, index, pending.id, ...prepared, priority, timeout ?? -1, cancellable, count,
    );
    if (answer === true) this.#becameFull();
    else if (answer !== undefined) pending.reject(this.#refused(answer, pending.id, pending.task, input));
  }

  /** What a submission returned: `true` when the queue is full now, or why it was refused. */
  #answered(answer, id, resolve, task, input) {
    if (answer === true) this.#becameFull();
    else resolve(Promise.reject(this.#refused(answer, id, task, input)));
  }

  /** Takes back a task that was refused; why it was. */
  #refused([code, message], id, task, input) {
    delivery.remove(id);
    return code === QUEUE_FULL ? this.#queueFull(message, task, input) : errorFromCode(code, message, { task });
  }

  #queueFull(message, task, input) {
    const error = errorFromCode(QUEUE_FULL, message, { task, input });
    refusals.add(error);
    this.#becameFull();
    return error;
  }

  #becameFull() {
    if (this.#needsDrain) return;
    this.#needsDrain = true;
    this.#watch();
    nextTick(() => this.emit('needsDrain'));
  }

  /** Looks after each batch whether there is room in the queue. Only meanwhile does the record refer to the pool. */
  #watch() {
    this.#record.look = () => this.#look();
    delivery.watch(this.#record);
  }

  /** True when there is nothing more to look for. */
  #look() {
    if (this.#needsDrain && this.#isHalfEmpty()) {
      this.#needsDrain = false;
      nextTick(() => this.emit('drain'));
    }
    for (const act of this.#waitingForRoom) {
      this.#waitingForRoom.delete(act);
      // Not in the middle of a delivery: it asks a source, and submits.
      nextTick(callUser, act);
    }
    if (this.#needsDrain) return false;
    this.#record.look = isSeen;
    return true;
  }

  /** Whether the queue is at most half full; where nothing may wait, whether a thread is free. */
  #isHalfEmpty() {
    const { handle } = this.#record;
    const needsThread = this.#settings.maxQueue === 0 && this.#submitter === undefined && !this.closed;
    return binding.poolIsHalfEmpty(handle) && (!needsThread || binding.poolRefusal(handle, false) === null);
  }

  close(options = {}) {
    try {
      const { force, timeout } = closeTerms(options);
      this.#closing ??= this.#close();
      if (force) this.#force();
      else if (timeout !== undefined) this.#forceAfter(timeout);
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #close() {
    ensureStack();
    closing.unregister(this);
    const { handle } = this.#record;
    // Until the threads have ended, also when nothing runs: so that `await pool.close()` always returns.
    delivery.hold(1);
    return new Promise((resolve) => {
      delivery.addPool(handle, (counters) => {
        this.#lastCounters = counters;
        delivery.checkAnswered(this.#record);
        // The native side may give the handle to the next pool.
        this.#record.handle = NO_HANDLE;
        // Not at once: rejections that came with this take some microtasks to reach who waits for them.
        setImmediate(() => {
          delivery.hold(-1);
          resolve();
          this.emit('close');
        });
      });
      this.#refuses = true;
      for (const map of [...this.#maps]) map.poolCloses();
      this.#closeWhenMapped();
    });
  }

  /** Closes the native side, once the inputs of every map that was accepted have been submitted and are done. */
  #closeWhenMapped() {
    for (const map of this.#maps) if (map.isWhole) return;
    const close = () => {
      binding.closePool(this.#record.handle, GRACEFULLY, true);
      this.#manager?.close();
    };
    if (this.#submitter === undefined) close();
    else this.#submitter.whenDispatched(close);
  }

  #force() {
    for (const map of [...this.#maps]) map.fail(new PoolClosedError('the pool was destroyed before every input was done'));
    this.#submitter?.rejectHeld(() => new PoolClosedError('the pool was destroyed before the task began'));
    binding.closePool(this.#record.handle, BY_FORCE, false);
    this.#manager?.destroy();
  }

  #forceAfter(timeout) {
    const timer = setTimeout(() => this.#force(), Math.min(timeout, 2 ** 31 - 1));
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
    const record = this.#record;
    if (record.holds !== holds) {
      record.holds = holds;
      delivery.hold(holds ? record.inFlight : -record.inFlight);
    }
    return this;
  }

  #counters() {
    return this.#lastCounters ?? binding.poolCounters(this.#record.handle);
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
    return this.#needsDrain;
  }

  get closed() {
    return this.#closing !== undefined;
  }

  get utilization() {
    const { runTime, mostThreads } = this.#counters();
    const { maxThreads } = this.#settings;
    // Of each kind, as many as there may be. Native threads count in a pool with a script once it has had some.
    const native = this.#submitter === undefined || mostThreads > 0 ? maxThreads : 0;
    const lifetime = now() - this.#madeAt;
    return lifetime <= 0 ? 0 : Math.min(1, runTime / (lifetime * (native + this.#scriptCapacity)));
  }

  get options() {
    return { ...this.#settings };
  }

  [inspect.custom](depth, options, inspectValue) {
    const { name, maxThreads } = this.#settings;
    const { threads, running, queueSize } = this.stats();
    const shown = { name, maxThreads, threads, running, queueSize, closed: this.closed };
    return `WorkerPool ${inspectValue(shown, options)}`;
  }

  stats() {
    const { idle, queued, waitTime, runTime, mostThreads, ...counts } = this.#counters();
    return { ...counts, idleThreads: idle, queueSize: queued, waitTime, runTime, utilization: this.utilization };
  }
}

function closedError(task) {
  return new PoolClosedError('the pool is closed and takes no more tasks', { task });
}

/**
 * How workers tell the pool what they did. They must not keep a pool that everybody else has forgotten, as a function made
 * in one of its methods would.
 *
 * @param {WeakRef<WorkerPool>} pool
 */
function emitterOf(pool) {
  return (event, ...values) => callUser(emitOfWorker, pool.deref(), event, values);
}

/** Tells the pool's listeners what a worker did; `this` is the pool, or undefined where nobody has it any more. */
function emitOfWorker(event, values) {
  if (this === undefined) return;
  if (event === 'error' && this.listenerCount('error') === 0) {
    process.emitWarning(`A worker of the pool failed: ${values[0]?.stack ?? values[0]}`, 'RustWorkersWarning');
    return;
  }
  this.emit(event, ...values);
}

function unknownTask(task) {
  return new UnknownTaskError(
    `There is no task ${typeof task === 'string' ? `'${task}'` : `named by ${typeof task}`}. ` +
      `The tasks of this pool are: ${taskNames().join(', ')}`,
  );
}

module.exports = { WorkerPool };
