'use strict';

/**
 * `pool.iterate`: the parts of a result, which a function of the script gives one after the other.
 *
 * Nothing begins before the first part is asked for. Then the worker may give `highWaterMark` parts, and one more for each that was
 * asked for; it is told so for several at a time (lib/script-pool/part-task.js is its side). Each part is an event of the
 * queue of events, as the answer is, so all come in the order in which they were given.
 *
 * Ends:
 * - The function returns or throws, or its worker dies: after all parts that were given.
 * - `return()`, as `break` calls it: parts that nobody has taken are dropped, the task is stopped as by an abort, and the promise
 *   settles when it has ended. What its `finally` throws rejects it.
 * - The signal, a time limit: at once, with their error.
 *
 * The iterator refers to the task, and not the other way round, unless a part is asked for. So an iterator that was forgotten is
 * known to be: its task is stopped. For the same reason a task of whose parts none is asked for does not keep the event loop alive.
 */

const { isError } = require('../answer-errors');
const { REASONS } = require('../constants');
const { deliveryOf } = require('../delivery');
const { InvalidArgValueError, PoolClosedError, WorkerTerminatedError, takesNoMoreTasks } = require('../errors');
const { divide } = require('../flow/options');
const { showState } = require('../inspection');
const { binding } = require('../native');
const { append } = require('../runtime/intrinsics');
const { MOST_AHEAD, callForm } = require('../script-pool/call-form');
const { locateScript } = require('../script-pool/script-location');
const { ScriptPending } = require('../script-pool/script-submitter');
const { submitOptions } = require('../task/options');
const { validateInteger } = require('../validators');
const { isNativeOnly } = require('../task/native-task-facts');
const { NOBODY, unknownTask } = require('./task-router');

const delivery = deliveryOf(binding);

/** As Node's streams of objects have it. */
const USUALLY_AHEAD = 16;

const OWN = ['highWaterMark'];

/** Stops the tasks of iterators that were forgotten. */
const forgotten = new FinalizationRegistry((task) => task.leave().catch(() => {}));

const done = (value) => ({ done: true, value });

/** The task of an iterator. */
class PartsPending extends ScriptPending {
  #ahead;
  #shares;
  /** How many parts were asked for, may be given, and have come. */
  #asked = 0;
  #granted;
  #received = 0;
  /** Parts that nobody has taken, from the first on; and who waits for one. */
  #parts = [];
  #first = 0;
  #asking = new Set();
  /** The iterator, while a part is asked for. */
  #iterator;
  /** What comes after the last part: `{ value }` or `{ error }`, once. */
  #outcome;
  /** Set by `leave`: a promise that settles when the task has ended, its functions, and what it then fails with. */
  #leaving;
  /** Whether its answer was on its way when it was left: then it did not fail because of that. */
  #wasOver = false;
  #rests = false;
  #begin;
  #source;

  /**
   * @param {import('../script-pool/native-script-pool').NativeScriptPool} pool
   * @param {string} name of the function
   * @param {number} ahead
   * @param {boolean} shares whether its worker may run other tasks too, which must not end with it
   * @param {(task: PartsPending) => void} begin submits it
   */
  constructor(pool, name, ahead, shares, begin) {
    super((value) => this.#came(value), (error) => this.#ended({ error }), pool, name);
    this.#ahead = this.#granted = ahead;
    this.#shares = shares;
    this.#begin = begin;
  }

  /** What is shown of it. */
  get state() {
    return { task: this.task, received: this.#received, ready: this.#parts.length - this.#first, ended: this.isSettled || this.#leaving !== undefined };
  }

  /** The source of its function is kept until it has ended. */
  uses(source) {
    this.#source = source;
    source.tasks++;
  }

  released() {
    if (this.#source !== undefined) this.#source.tasks--;
    this.#source = undefined;
    super.released();
  }

  ask(iterator, resolve, reject) {
    this.#asked++;
    if (this.#first < this.#parts.length) {
      resolve({ done: false, value: this.#take() });
      return this.#grant();
    }
    if (this.#outcome !== undefined) return this.#giveOutcome(resolve, reject);
    this.#iterator = iterator;
    this.#asking.add({ resolve, reject });
    this.#holdLoop();
    this.#grant();
    const begin = this.#begin;
    this.#begin = undefined;
    begin?.(this);
  }

  #take() {
    const value = this.#parts[this.#first];
    this.#parts[this.#first++] = undefined;
    if (this.#first === this.#parts.length) this.#drop();
    return value;
  }

  #giveOutcome(resolve, reject) {
    const { error, value } = this.#outcome;
    const isError = 'error' in this.#outcome;
    this.#outcome = { value: undefined };
    if (isError) reject(error);
    else resolve(done(value));
  }

  /** A part has come. */
  part(form, number, source) {
    if (this.isSettled || this.#leaving !== undefined) return source.skip(form, number);
    this.#received++;
    let value;
    try {
      value = this.pool.readAnswer(form, number, source, this.task);
    } catch (error) {
      return this.#unreadable(error);
    }
    const [waiting] = this.#asking;
    if (waiting === undefined) append(this.#parts, value);
    else {
      this.#answered(waiting);
      waiting.resolve({ done: false, value });
    }
    this.#grant();
  }

  /** This thread cannot read a part, so there can be none behind it. */
  #unreadable(error) {
    this.reject(error);
    this.#stop();
  }

  #answered(waiting) {
    this.#asking.delete(waiting);
    if (this.#asking.size === 0) {
      this.#iterator = undefined;
      this.#rest();
    }
  }

  /** Lets the worker give more. It has the task if a part has come, and before that it may give some anyway. */
  #grant() {
    const due = this.#ahead + this.#asked - this.#granted;
    if (due <= 0 || this.#received === 0 || this.isSettled) return;
    const isStarved = this.#asking.size > 0 && this.#granted === this.#received;
    if (!isStarved && due < this.#ahead / 2) return;
    this.#granted += due;
    const { call } = delivery;
    call[0] = this.pool.handle;
    call[1] = this.id;
    call[2] = due;
    binding.grantParts();
  }

  /** No part is asked for: the task does not hold the event loop. It is counted as if it were not under way. */
  #rest() {
    if (this.#rests || this.id === 0 || this.isSettled) return;
    this.#rests = true;
    this.pool.inFlight--;
    if (this.pool.holds) delivery.hold(-1);
  }

  #holdLoop() {
    if (!this.#rests) return;
    this.#rests = false;
    this.pool.inFlight++;
    if (this.pool.holds) delivery.hold(1);
  }

  settle(form, number, source) {
    this.#holdLoop();
    if (this.#leaving === undefined) return super.settle(form, number, source);
    this.pool.inputs.answered(this.id);
    try {
      // An error of ours says that it was stopped.
      if (isError(form)) this.pool.readError(form, number, source, this.task);
      else this.pool.readAnswer(form, number, source, this.task);
    } catch (error) {
      return this.reject(error);
    }
    this.resolve(undefined);
  }

  /** The function's return value; or, as `rejectBy` gives it, an error: no value that has crossed has functions. */
  #came(value) {
    if (typeof value?.then === 'function') value.then(undefined, (error) => this.#ended({ error }));
    else this.#ended({ value });
  }

  /** The last outcome is known. */
  #ended(outcome) {
    this.#holdLoop();
    if (this.#leaving !== undefined) {
      const { resolve, reject } = this.#leaving;
      const isToldOf = 'error' in outcome && !this.ended && !this.#wasOver && !isEndByUs(outcome.error);
      return isToldOf ? reject(outcome.error) : resolve();
    }
    // By the signal or a time limit: nobody wants what has come.
    if (this.ended) this.#drop();
    this.#outcome = outcome;
    for (const { resolve, reject } of this.#asking) this.#giveOutcome(resolve, reject);
    this.#asking.clear();
    this.#iterator = undefined;
  }

  #drop() {
    this.#parts = [];
    this.#first = 0;
  }

  /** Nobody wants more: stops the task. The promise settles when it has ended. */
  leave() {
    if (this.#leaving !== undefined) return this.#leaving.promise;
    this.#begin = undefined;
    this.#drop();
    this.#outcome = { value: undefined };
    for (const { resolve } of this.#asking) resolve(done(undefined));
    this.#asking.clear();
    this.#iterator = undefined;
    if (this.isSettled || this.id === 0) {
      // It was not submitted; or it has ended early, and its thread may still have it.
      if (!this.isSettled) this.resolve(undefined);
      return Promise.resolve();
    }
    this.#holdLoop();
    const leaving = { promise: undefined, resolve: undefined, reject: undefined };
    leaving.promise = new Promise((resolve, reject) => Object.assign(leaving, { resolve, reject }));
    this.#leaving = leaving;
    this.#stop();
    return leaving.promise;
  }

  #stop() {
    const { id, pool } = this;
    const worker = binding.cancel(id, REASONS.CANCELLED);
    pool.inputs.letGo(id);
    this.#wasOver = worker < 0;
    // Where others run on its worker, that is not ended for this one.
    if (worker >= 0 && !this.#shares) pool.workers.expectEnd(worker, id);
  }
}

/** Whether a task that was to stop has ended because its worker, or the pool, was ended for it. */
const isEndByUs = (error) => error instanceof WorkerTerminatedError || error instanceof PoolClosedError;

/** What `pool.iterate` returns. */
class PartIterator {
  static {
    showState(this, (it) => it.#task.state);
  }

  #task;
  #placed;

  /**
   * @param {PartsPending} task
   * @param {(error: unknown) => unknown} placed the error, which says where the call stands if that is wanted
   */
  constructor(task, placed) {
    this.#task = task;
    this.#placed = placed;
    forgotten.register(this, task);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** @returns {Promise<{ done: boolean, value: unknown }>} */
  next() {
    return new Promise((resolve, reject) => this.#task.ask(this, resolve, (error) => reject(this.#placed(error))));
  }

  async return(value) {
    await this.#task.leave().catch((error) => {
      throw this.#placed(error);
    });
    return done(value);
  }

  async throw(error) {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose]() {
    await this.return();
  }
}

/**
 * `pool.iterate(task, input, options)`. Whether a native task has the name too does not matter: these have no parts.
 *
 * @param {object} parts of the pool, as flow.js has them
 * @param {() => { native: object, scriptTasks: object }} workersOf gives the side of the pool that has workers
 */
function iterate(parts, workersOf, name, input, options = {}) {
  if (typeof name === 'function') return iterateFunction(parts, workersOf, name, input, options);
  const placed = parts.placer('iterate', name);
  const { native, tasks, admission, scriptTasks } = parts;
  const owner = tasks.ownerOf(name, options);
  if (owner === NOBODY) throw unknownTask(native, name, scriptTasks !== undefined);
  if (scriptTasks === undefined || isNativeOnly(name)) throw givenAsOne(name);
  const [{ highWaterMark = USUALLY_AHEAD }, run] = divide(options, OWN, false);
  validateInteger(highWaterMark, 'options.highWaterMark', 1, MOST_AHEAD);
  const checked = submitOptions(run);
  if (checked.filename !== undefined) checked.filename = locateScript(checked.filename, 'options.filename');
  const { name: named = name } = checked;
  const task = new PartsPending(native, named, highWaterMark, scriptTasks.separates && !endsEarly(checked), () => {
    if (admission.isClosed) return task.reject(takesNoMoreTasks(named));
    checked.callForm = callForm({ ahead: highWaterMark });
    scriptTasks.begin(task, named, input, checked);
  });
  return new PartIterator(task, placed);
}

/** `pool.iterate(fn, args, options)`: a function in the place of a script's. */
function iterateFunction({ admission, placer }, workersOf, fn, args = [], options) {
  const { analyse, ofFunction, prepare } = require('./exec');
  const placed = placer('iterate', fn);
  const [{ capture, highWaterMark = USUALLY_AHEAD }, run] = divide(options, [...OWN, 'capture'], false);
  validateInteger(highWaterMark, 'options.highWaterMark', 1, MOST_AHEAD);
  const checked = submitOptions(ofFunction(run));
  analyse(fn);
  const { native, scriptTasks } = workersOf();
  const { source, input, name } = prepare(native, fn, args, capture);
  const task = new PartsPending(native, name, highWaterMark, scriptTasks.separates && !endsEarly(checked), () => {
    if (admission.isClosed) return task.reject(takesNoMoreTasks(name));
    checked.callForm = callForm({ ahead: highWaterMark, source: source.number });
    scriptTasks.begin(task, 'exec', input, checked);
  });
  task.uses(source);
  return new PartIterator(task, placed);
}

const endsEarly = ({ signal, timeout, deadline, runTimeout }) =>
  signal !== undefined || timeout !== undefined || deadline !== undefined || runTimeout !== undefined;

function givenAsOne(name) {
  return new InvalidArgValueError(
    `The native task '${name}' gives its result as one: run('${name}', input). Functions of a script can give theirs in parts`,
  );
}

module.exports = { iterate };
