'use strict';

/**
 * Submits tasks to a pool's script: the input in the form that carries it, and the task's place in the queue.
 *
 * Most inputs go through the queue, for whichever worker comes first. An input that only Node's ports can carry is sent to
 * one worker at once, and its task is bound to that worker (bound-inputs.js).
 */

const { SCRIPTS } = require('../constants');
const { binding } = require('../native');
const { ITSELF, UNCANCELLABLE, cancelBy, soonerLimit } = require('../task/cancel-group');
const { Pending } = require('../task/pending');
const { submitOptions } = require('../task/options');
const { AHEAD, LATEST, OUTPUT, SOURCE, SPREAD } = require('./call-form');
const { notTooDeep } = require('./too-deep');
const { canGoTwice, discardTaken, givesOnlyMemory, listFor, openTaken, takeNow } = require('./transfer');
const { ValueEncoder } = require('./value-encoder');

/** Encodes the inputs. */
const encoder = new ValueEncoder();

const { ANY_WORKER, VIA_FALLBACK, BY_MESSAGE, BY_QUEUE, NO_WORKER, ON_DEMAND } = SCRIPTS;
/** What `submitScript` returns for an accepted task, as bits. */
const { FULL, NEEDS_WORKER } = SCRIPTS;
const { BLOCKS, MOVABLE, NESTED } = SCRIPTS;

/** The highest priority. */
const FIRST = 2 ** 31 - 1;

/** How often another worker is tried when the one that was chosen has just left. */
const TRIES = 8;

const NOTHING = Object.freeze([]);
/** Each is there, so that none is looked for on a prototype. */
const NO_OPTIONS = Object.freeze({
  alone: false,
  priority: 0,
  key: undefined,
  signal: undefined,
  timeout: undefined,
  deadline: undefined,
  runTimeout: undefined,
  module: undefined,
  worker: undefined,
  callForm: 0,
  context: undefined,
  outerSignal: undefined,
  group: undefined,
});

/** A task of a script that may end early, or whose input went to its worker by Node's port. */
class ScriptPending extends Pending {
  settle(form, number, delivery) {
    this.pool.inputs.answered(this.id);
    super.settle(form, number, delivery);
  }
}

class ScriptSubmitter {
  /** Whether a task that may be stopped wants its worker alone: to stop it, the worker may have to be ended. */
  separates;

  #pool;
  #delivery;
  #admission;
  /** The numbers of the script's functions, by name. */
  #functions = new Map([['', 0]]);
  /** The same of those of other modules, for the option `filename`. Made for the first of them. */
  #others;
  /** The names of the tasks that have a limit. */
  #limited;

  /**
   * @param {import('./native-script-pool').NativeScriptPool} pool
   * @param {import('../delivery').Delivery} delivery
   * @param {import('../pool/admission').Admission} admission
   * @param {object} settings as `scriptSettings` returns them
   */
  constructor(pool, delivery, admission, settings) {
    this.#pool = pool;
    this.#delivery = delivery;
    this.#admission = admission;
    this.separates = settings.concurrency > 1 && settings.killTimeout !== Infinity;
    this.#limited = settings.limited;
  }

  /** Runs the script's function of this name; '' is the one for tasks that name none. */
  run(name, input, options, resolve, reject) {
    if (options !== undefined) return this.#runWithOptions(name, input, options, resolve, reject);
    let id = 0;
    let pending;
    try {
      if (this.#isUnknown(name)) return reject(this.#unknown(name));
      if (!encoder.encode(input)) {
        // As it was read, where getters have run.
        pending = new ScriptPending(resolve, reject, this.#pool, name);
        return this.#runBound(name, encoder.takeForNode(), NOTHING, pending, NO_OPTIONS);
      }
      id = this.#delivery.add(resolve, this.#pool, name);
      this.#submit(name, id, NO_OPTIONS, encoder, resolve, input);
    } catch (error) {
      // The stack may be used up, at any of the steps.
      if (pending !== undefined) return this.#failed(pending, error);
      if (id !== 0) this.#delivery.remove(id);
      reject(notTooDeep(error, 'the input'));
    }
  }

  /** The options of a task that has none. */
  get usualOptions() {
    return NO_OPTIONS;
  }

  /**
   * Encodes the input of a task for `submitFor`.
   *
   * @returns {ValueEncoder | undefined} good until the next input; undefined where only Node's port can carry it: see `takeForNode`
   * @throws what getters of the input throw
   */
  encode(name, input) {
    if (this.#isUnknown(name)) throw this.#unknown(name);
    try {
      return encoder.encode(input) ? encoder : undefined;
    } catch (error) {
      throw notTooDeep(error, 'the input');
    }
  }

  takeForNode() {
    return encoder.takeForNode();
  }

  /**
   * Submits a task whose outcome is no promise's.
   *
   * @param {{ id: number, settle: Function, reject: Function }} task gets its id, and the outcome
   * @param {string} name
   * @param {object} prepared the encoded input
   * @param {object} options
   * @throws the pool's refusal
   */
  submitFor(task, name, prepared, options) {
    const id = this.#delivery.add(task, this.#pool, name);
    let answer;
    try {
      answer = this.#submitTo(name, id, options, prepared, ANY_WORKER, BY_QUEUE);
    } catch (error) {
      this.#delivery.remove(id);
      throw error;
    }
    if (Array.isArray(answer)) throw this.#admission.refused(answer, id, name);
    task.id = id;
    this.#acceptedForAny(answer);
  }

  /** As `run`; its worker runs nothing else meanwhile. */
  runAlone(name, input, options, resolve, reject) {
    this.#runWithOptions(name, input, options, resolve, reject, true);
  }

  #runWithOptions(named, input, given, resolve, reject, alone = false) {
    let options;
    let name;
    let pending;
    try {
      options = submitOptions(given);
      options.alone = alone;
      ({ name = named } = options);
      pending = new ScriptPending(resolve, reject, this.#pool, name);
    } catch (error) {
      return reject(error);
    }
    this.begin(pending, name, input, options);
  }

  /** Submits the task of a `ScriptPending`; `options` are as `submitOptions` returns them. */
  begin(pending, name, input, options) {
    try {
      const { filename, onOutput, onProgress, progress, spread, transfer = NOTHING, worker } = options;
      if (filename !== undefined) options.module = this.#otherModules().urlOf(filename);
      // A function of `exec` is none of the script's.
      else if (options.callForm < SOURCE && this.#isUnknown(name)) return pending.reject(this.#unknown(name));
      if (worker !== undefined) require('./worker-list').workerOf(this.#pool.workers, worker);
      if (spread && !Array.isArray(input)) return pending.reject(notArguments(input));
      if (spread) options.callForm += SPREAD;
      if (progress === 'latest') options.callForm += LATEST;
      // Before the input is read: what its getters do may end the task.
      pending.control(options);
      if (pending.ended) return;
      if (onOutput !== undefined) options.callForm += OUTPUT;
      if (onOutput !== undefined) pending.listen(require('./told-output').listener(onOutput, onProgress));
      else if (onProgress !== undefined) pending.listen(onProgress, progress === 'latest');
      const list = listFor(input, transfer);
      // Nothing is transferred when the queue is full.
      const refusal = list.length > 0 ? this.#admission.refusal(true) : null;
      if (refusal !== null) return pending.reject(this.#admission.queueFull(refusal, name, input));
      if (list.length > 0) return this.#runBound(name, input, list, pending, options);
      if (!encoder.encode(input)) return this.#runBound(name, encoder.takeForNode(), NOTHING, pending, options);
      if (pending.ended) return encoder.release();
      pending.id = this.#delivery.add(pending, this.#pool, name);
      if (worker !== undefined) return this.#submitFixed(name, pending, options, input);
      this.#submit(name, pending.id, options, encoder, (outcome) => pending.resolve(outcome), input);
    } catch (error) {
      this.#failed(pending, error);
    }
  }

  /** A submission failed half-way: no answer will come. */
  #failed(pending, error) {
    if (pending.id !== 0) this.#delivery.remove(pending.id);
    pending.id = 0;
    pending.reject(notTooDeep(error, 'the input'));
  }

  #isUnknown(name) {
    const { exports } = this.#pool.workers;
    return exports !== undefined && name !== '' && !exports.has(name);
  }

  #unknown(name) {
    const { unknownFunction } = require('./unknown-function');
    return unknownFunction(name, this.#pool.workers.exports ?? NOTHING);
  }

  /** Binds the task to one worker, to which its input is on its way by Node's port when this returns. */
  #runBound(name, input, list, pending, options) {
    const { handle, inputs, workers } = this.#pool;
    const settle = (outcome) => pending.resolve(outcome);
    /** The input as it is now, where it may have to be sent twice. */
    let taken;
    const isFixed = options.worker !== undefined;
    // It may have to wait for its key or limit beside a worker that is free, which may end meanwhile.
    const mayWait = options.key !== undefined || this.#limited.has(name);
    for (let tries = 0; ; tries++) {
      const { number, free } = isFixed ? { number: options.worker, free: true } : workers.choose();
      if ((!free || mayWait) && taken === undefined) taken = takeNow(input, list);
      if (pending.ended) return taken === undefined ? undefined : discardTaken(taken);
      // Given memory that has to wait: the queue keeps it, for whichever worker comes first.
      if (!free && givesOnlyMemory(taken) && encoder.encodeGiven(taken.value, taken.list)) {
        pending.id = this.#delivery.add(pending, this.#pool, name);
        inputs.lend(pending.id, taken);
        return this.#submit(name, pending.id, options, encoder, settle, taken.value, ON_DEMAND);
      }
      const id = (pending.id = this.#delivery.add(pending, this.#pool, name));
      const worker = workers.get(number);
      const message = worker?.sent ?? 0;
      const prepared = { form: VIA_FALLBACK, value: undefined, length: message, parts: undefined };
      // Its worker has its input, and nothing else to do: no other task comes between.
      const place = taken === undefined && !isFixed ? FIRST : options.priority;
      const movable = taken !== undefined && !isFixed && canGoTwice(taken);
      const answer = this.#submitTo(name, id, options, prepared, number, BY_MESSAGE, place, movable);
      if (Array.isArray(answer)) {
        if (answer[0] === 'ERR_RW_INTERNAL' && isFixed) return this.#failed(pending, isEnding(number));
        if (answer[0] === 'ERR_RW_INTERNAL' && tries < TRIES) {
          this.#delivery.remove(id);
          continue;
        }
        return this.#admission.answered(answer, id, settle, name, taken === undefined ? input : openTaken(taken));
      }
      try {
        if (number === NO_WORKER) inputs.keep(id, taken);
        else if (taken === undefined) inputs.send(worker, message, id, input, list);
        else inputs.sendTaken(worker, message, id, taken);
      } catch (error) {
        binding.retractScript(handle, number, id);
        return this.#failed(pending, error);
      }
      return this.#accepted(answer);
    }
  }

  /** Submits for any worker. */
  #submit(name, id, options, prepared, resolve, input, path = BY_QUEUE) {
    const answer = this.#submitTo(name, id, options, prepared, ANY_WORKER, path);
    if (!Array.isArray(answer)) this.#acceptedForAny(answer);
    else {
      if (path === ON_DEMAND) this.#pool.inputs.forget(id);
      this.#admission.answered(answer, id, resolve, name, input);
    }
  }

  /** Submits for one worker, with the encoded input. */
  #submitFixed(name, pending, options, input) {
    const { id } = pending;
    const { handle, inputs } = this.#pool;
    const { worker } = options;
    inputs.pin(id);
    const answer = this.#submitTo(name, id, options, encoder, worker, BY_QUEUE);
    if (Array.isArray(answer)) {
      inputs.forget(id);
      if (answer[0] === 'ERR_RW_INTERNAL') return this.#failed(pending, isEnding(worker));
      return this.#admission.answered(answer, id, (outcome) => pending.resolve(outcome), name, input);
    }
    binding.notifyWorker(handle, worker);
    this.#accepted(answer);
  }

  /** A task for any worker. One that was told of it may have another bound to it, which it takes first, and which may run for ever. */
  #acceptedForAny(answer) {
    const { inputs, workers } = this.#pool;
    this.#accepted(answer);
    if (inputs.size > 0 && !(answer & NEEDS_WORKER)) workers.needIfAllHave();
  }

  #accepted(answer) {
    if (answer & NEEDS_WORKER) this.#pool.workers.need();
    if (answer & FULL) this.#admission.becameFull();
  }

  #submitTo(name, id, options, prepared, worker, path, place = options.priority, movable = false) {
    const { priority, key, timeout, deadline, runTimeout, module, context } = options;
    const { call } = this.#delivery;
    // Before the call's arguments are written: it may be a call itself.
    const number =
      module === undefined ? (this.#functions.get(name) ?? this.#nameFunction(name)) : this.#otherModules().numberOf(module, name);
    const cancel = cancelBy(options);
    call[0] = this.#pool.handle;
    call[1] = number;
    call[2] = id;
    call[3] = prepared.form;
    call[4] = prepared.length;
    call[5] = place;
    call[6] = timeout ?? -1;
    call[11] = 0;
    call[12] = runTimeout ?? -1;
    call[13] = deadline ?? 0;
    call[14] = priority;
    if (deadline !== undefined) ({ limit: call[6], isDeadline: call[11] } = soonerLimit(options));
    // A result in parts ends early when its consumer takes no more.
    call[7] = cancel === UNCANCELLABLE && options.callForm >= AHEAD ? ITSELF : cancel;
    call[8] = worker;
    call[9] = ((cancel !== UNCANCELLABLE && this.separates) || options.alone ? 1 : 0) + 2 * options.callForm;
    call[10] = (path === ON_DEMAND ? 1 : 0) + (movable ? MOVABLE : 0);
    if (context?.isNested) call[10] += NESTED + (context.blocks ? BLOCKS : 0);
    call[15] = context?.waiter ?? 0;
    const { value, parts } = prepared;
    const answer = key === undefined ? binding.submitScript(value, parts) : binding.submitScriptKeyed(value, parts, key);
    // Nothing of it is kept.
    if (prepared === encoder) encoder.release();
    return answer;
  }

  #otherModules() {
    if (this.#others === undefined) {
      const { OtherModules } = require('./other-modules');
      this.#others = new OtherModules(this.#pool);
    }
    return this.#others;
  }

  #nameFunction(name) {
    // It would be one of another module.
    if (name.startsWith('\0')) throw this.#unknown(name);
    const number = binding.scriptFunction(this.#pool.handle, name);
    this.#functions.set(name, number);
    return number;
  }
}

const isEnding = (worker) => require('./worker-exit-errors').isEnding(worker);

function notArguments(input) {
  const { InvalidArgTypeError } = require('../errors');
  const { describe } = require('../validators');
  return new InvalidArgTypeError(`With "options.spread" the input must be an array of arguments. Received ${describe(input)}`);
}

module.exports = { ScriptPending, ScriptSubmitter };
