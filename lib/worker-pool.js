'use strict';

const { EventEmitter } = require('node:events');
const { inspect } = require('node:util');

const { binding } = require('./native');
const { clearTimeout, now, setImmediate, setTimeout } = require('./clock');
const { deliveryOf } = require('./delivery');
const { abortError, errorFromCode, UnknownTaskError } = require('./errors');
const { forgotten } = require('./forgotten');
const { prepareInput, prepareInputs } = require('./inputs');
const { mapStream } = require('./map-stream');
const { nextTick } = require('./node-globals');
const { Pending } = require('./pending');
const { poolSettings, runTerms } = require('./pool-options');
const { PoolRecord } = require('./pool-record');
const { Crew } = require('./script-pool/crew');
const { locateScript } = require('./script-pool/script-location');
const { scriptSettings } = require('./script-pool/script-options');
const { ScriptRecord } = require('./script-pool/script-record');
const { ScriptSubmitter } = require('./script-pool/submit');
const { givenBack, givingBack, prepareFor, prepareForAll, withParallel } = require('./shared-buffer/task-inputs');
const { taskIndex, taskNames } = require('./tasks');
const { validateIterable, validateNumber, validateObject } = require('./validators');

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

class WorkerPool extends EventEmitter {
  #settings;
  #record;
  #madeAt = now();
  #needsDrain = false;
  /** The promise of `close()`, once it was called. */
  #closing;
  /** The last counters, once the pool has closed. */
  #lastCounters;

  /** The script's workers, in a pool that has one. */
  #crew;
  /** How tasks reach them. */
  #submitter;

  constructor(scriptOrOptions = {}, sizeOrOptions = {}) {
    super();
    const hasScript = typeof scriptOrOptions === 'string' || typeof scriptOrOptions?.href === 'string';
    const given = hasScript ? sizeOrOptions : scriptOrOptions;
    const fixed = hasScript && typeof given === 'number';
    const options = fixed ? { maxThreads: given } : given;
    this.#settings = poolSettings(options);
    if (hasScript) this.#openScript(scriptOrOptions, options, fixed);
    else this.#record = new PoolRecord(binding, binding.createPool(this.#settings));
    closing.register(this, this.#record.handle, this);
  }

  #openScript(script, options, fixed) {
    const settings = scriptSettings(options, this.#settings, fixed);
    const url = locateScript(script);
    const record = new ScriptRecord(binding, binding.createPool(this.#settings));
    this.#record = record;
    // The workers must not keep a pool that everybody else has forgotten.
    const pool = new WeakRef(this);
    const emit = (event, ...values) => pool.deref()?.#emitOfWorker(event, values);
    const crew = (this.#crew = new Crew({ binding, delivery, record, script: url, settings, emit }));
    this.#submitter = new ScriptSubmitter({
      binding, delivery, record, crew,
      becameFull: () => this.#becameFull(),
      refused: (...refusal) => this.#answered(...refusal),
    });
    try {
      this.#crew.fill();
    } catch (error) {
      binding.closePool(record.handle, BY_FORCE, true);
      throw error;
    }
  }

  #emitOfWorker(event, values) {
    if (event === 'error' && this.listenerCount('error') === 0) {
      process.emitWarning(`A worker of the pool failed: ${values[0]?.stack ?? values[0]}`, 'RustWorkersWarning');
      return;
    }
    this.emit(event, ...values);
  }

  run(task, input, options) {
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    const index = taskIndex(task);
    if (index === undefined) {
      if (this.#submitter !== undefined && typeof task === 'string') {
        this.#submitter.run(task, input, options, resolve, reject);
      } else reject(unknownTask(task));
    } else if (options !== undefined) this.#runWith(index, input, options, new Pending(resolve, reject, this.#record, task));
    else if (typeof input === 'number') this.#runDirect(index, 1, input, resolve, task);
    else if (input === undefined) this.#runDirect(index, 0, 0, resolve, task);
    else this.#runPlain(index, input, resolve, reject, task);
    return promise;
  }

  runTask(input, options) {
    const promise = new Promise(capture);
    const { resolve, reject } = captured;
    if (this.#submitter === undefined) {
      reject(new UnknownTaskError('This pool has no script: give one to the constructor, or run a native task by name'));
    } else {
      this.#submitter.run('', input, options, resolve, reject);
    }
    return promise;
  }

  /** A number, or nothing, needs no argument at all: see src/node/board.rs. */
  #runDirect(index, isNumber, number, resolve, task) {
    const id = delivery.add(resolve, this.#record, task);
    const { call } = delivery;
    call[0] = this.#record.handle;
    call[1] = index;
    call[2] = id;
    call[3] = isNumber;
    call[4] = number;
    const answer = binding.submitDirect();
    if (answer !== undefined) this.#answered(answer, id, resolve, task, isNumber ? number : undefined);
  }

  #runPlain(index, input, resolve, reject, task) {
    let prepared;
    try {
      prepared = prepareInput(input, undefined);
      prepareFor(task, input);
    } catch (error) {
      return reject(error);
    }
    const { form, value, length, parts } = prepared;
    const given = givenBack(task, input);
    if (given !== undefined) resolve = givingBack(resolve, given);
    const id = delivery.add(resolve, this.#record, task);
    const answer = binding.submit(this.#record.handle, index, id, form, value, length, parts);
    if (answer !== undefined) this.#answered(answer, id, resolve, task, input);
  }

  #runWith(index, input, options, pending) {
    try {
      const terms = runTerms(options);
      if (terms.signal?.aborted) return pending.reject(abortError(terms.signal));
      const given = givenBack(pending.task, input);
      if (given !== undefined) pending.resolve = givingBack(pending.resolve, given);
      if (terms.parallel) input = withParallel(pending.task, input);
      const { form, value, length, parts, input: moved } = prepareInput(input, terms.transfer);
      prepareFor(pending.task, input);
      this.#submitWith(binding.submitWith, index, pending, terms, [form, value, length, parts], moved);
    } catch (error) {
      pending.reject(error);
    }
  }

  map(task, inputs, options = {}) {
    return new Promise((resolve, reject) => {
      const index = taskIndex(task);
      if (index === undefined) return reject(unknownTask(task));
      const terms = runTerms(options);
      if (terms.signal?.aborted) return reject(abortError(terms.signal));
      validateIterable(inputs, 'inputs');
      if (typeof inputs[Symbol.iterator] !== 'function') return resolve(mapStream(this, task, inputs, options));
      const all = Array.isArray(inputs) && !terms.parallel ? inputs : Array.from(inputs);
      if (all.length === 0) return resolve([]);
      const pending = new Pending(resolve, reject, this.#record, task);
      prepareForAll(task, all, terms.parallel, pending);
      const { form, value, length, parts } = prepareInputs(all, terms.transfer);
      this.#submitWith(binding.submitBatch, index, pending, terms, [form, value, length, parts], inputs, all.length);
    });
  }

  /** Submits what may end early, or has a priority. */
  #submitWith(submit, index, pending, terms, prepared, input, count) {
    const { priority, signal, timeout } = terms;
    const cancellable = signal !== undefined || timeout !== undefined;
    pending.id = delivery.add(pending, this.#record, pending.task);
    const answer = submit(
      this.#record.handle, index, pending.id, ...prepared, priority, timeout ?? -1, cancellable, count,
    );
    if (answer !== undefined) this.#answered(answer, pending.id, pending.resolve, pending.task, input);
    if (cancellable && (answer === undefined || answer === true)) pending.control(terms);
  }

  /** What a submission returned: `true` when the queue is full now, or why it was refused. */
  #answered(answer, id, resolve, task, input) {
    if (answer === true) return this.#becameFull();
    delivery.remove(id);
    const [code, message] = answer;
    const full = code === 'ERR_RW_QUEUE_FULL';
    if (full) this.#becameFull();
    resolve(Promise.reject(errorFromCode(code, message, full ? { task, input } : { task })));
  }

  #becameFull() {
    if (this.#needsDrain) return;
    this.#needsDrain = true;
    this.#record.look = () => this.#drained();
    delivery.watch(this.#record);
    nextTick(() => this.emit('needsDrain'));
  }

  /** Whether the queue is at most half full again. */
  #drained() {
    const queued = this.#counters().queued;
    if (queued > this.#settings.maxQueue / 2) return false;
    this.#needsDrain = false;
    nextTick(() => this.emit('drain'));
    return true;
  }

  close(options = {}) {
    try {
      validateObject(options, 'options');
      const { force = false, timeout } = options;
      if (timeout !== undefined) validateNumber(timeout, 'options.timeout', 0);
      this.#closing ??= this.#close();
      if (force) this.#force();
      else if (timeout !== undefined) this.#forceAfter(timeout);
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #close() {
    closing.unregister(this);
    const { handle } = this.#record;
    // Until the threads have ended, also when nothing runs: so that `await pool.close()` always returns.
    delivery.hold(1);
    return new Promise((resolve) => {
      delivery.addPool(handle, (counters) => {
        this.#lastCounters = counters;
        // The native side may give the handle to the next pool.
        this.#record.handle = NO_HANDLE;
        // Not at once: rejections that came with this take some microtasks to reach who waits for them.
        setImmediate(() => {
          delivery.hold(-1);
          resolve();
          this.emit('close');
        });
      });
      binding.closePool(handle, GRACEFULLY, true);
      this.#crew?.close();
    });
  }

  #force() {
    binding.closePool(this.#record.handle, BY_FORCE, false);
    this.#crew?.destroy();
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
    const lifetime = now() - this.#madeAt;
    return Math.min(1, this.#counters().runTime / (lifetime * this.#settings.maxThreads));
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
    const { idle, queued, waitTime, runTime, ...counts } = this.#counters();
    return { ...counts, idleThreads: idle, queueSize: queued, waitTime, runTime, utilization: this.utilization };
  }
}

function unknownTask(task) {
  return new UnknownTaskError(
    `There is no task ${typeof task === 'string' ? `'${task}'` : `named by ${typeof task}`}. ` +
      `The tasks of this pool are: ${taskNames().join(', ')}`,
  );
}

module.exports = { WorkerPool };
