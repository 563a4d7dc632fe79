'use strict';

/**
 * `pool.map` for inputs that cannot be submitted as one batch: those of an async source, and those of a script's
 * function. The next input is read from the source only when the pool has capacity for it.
 *
 * The map ends at once when its signal aborts, its time limit passes, a task fails, or the pool is destroyed. It does not
 * wait for a source that has not answered. Then no further input is read, the tasks under way are cancelled, and the source
 * is closed by its `return()`, as `for await` would. A pool that is closed without `force`
 * first finishes the inputs of the map that were read already; of a synchronous source, all inputs.
 *
 * A full queue does not fail the map: the current input waits until the queue has space (admission.js), and no further input
 * is read meanwhile.
 */

const nodeGlobals = require('../runtime/globals');
const { now } = require('../runtime/clock');
const { DeadlineError, PoolClosedError, TaskTimeoutError } = require('../errors');
const { Pending } = require('../task/pending');
const { CONTEXT } = require('../task/task-context');
const { KeptInput } = require('../script-pool/kept-input');
const { validateTransfer } = require('../transfer/task-transfer');
const { listedIn } = require('../transfer/transferables');
const { fulfilled, named, rejected } = require('../flow/outcomes');
const { InputSource } = require('../flow/source');
const { untraced } = require('../seeing/task-channel');
const { isRefusal } = require('./admission');
const { NATIVE } = require('./task-router');

/** Tasks under way for each thread: one that it runs, and others, so that it finds the next in the queue. */
const TASKS_PER_THREAD = 4;

/**
 * A map is not a task, but `Pending` calls `cancel` and `catchUp` only where the id is not 0; so a map needs an id other than
 * 0. Its value is not used.
 */
const MAP_ID = 1;

class InputByInputMap extends Pending {
  /**
   * True for a synchronous source (array, generator): a closing pool still runs all of its inputs. False for an async
   * source: then it runs only those that were read already.
   */
  finishesOnClose;

  #host;
  #options;
  /** Whether a failed input is an outcome like any other. */
  #settle;
  /** When its time limit is up. */
  #timeUpAt;
  #source;

  /** How many inputs were read from the source. */
  #inputCount = 0;
  /** By the input's number. Not an array, whose prototype may have accessors. */
  #outputs = new Map();
  #underWay = 0;
  /** The most tasks that are under way at a time. */
  #limit;
  /** The input that waits to be submitted, and its entry with `Admission`. */
  #waiting;
  /** Whether the pool takes no more inputs. */
  #poolIsClosing = false;
  /** Aborts the running tasks. */
  #stop = new nodeGlobals.AbortController();
  /** The transfer list of the call: the objects that were not transferred yet. */
  #transferList;

  /**
   * @param {(outputs: unknown[]) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {string} task
   * @param {object} options the result of `mapOptions`
   * @param {object} host functions of the pool for the map
   * @param {() => number} host.threads how many threads may work on the inputs
   * @param {number} host.maxQueue
   * @param {boolean} host.isNative whether the task is native
   * @param {boolean} host.finishesOnClose see the field
   * @param {boolean} host.holds whether the time limit keeps the event loop alive
   * @param {boolean} host.sharesWorkers whether a worker runs several tasks at once, and a task that can be cancelled
   *   has a worker to itself
   * @param {import('./admission').Admission} host.admission
   * @param {() => number} host.ownerOf NATIVE, SCRIPT, or UNDECIDED: the script's exports are not known yet
   * @param {(input: unknown, options: object) => Promise<unknown>} host.submit
   * @param {() => void} host.catchUp delivers the answers that wait in the event queue
   * @param {() => void} host.onSettled called when the map was settled
   */
  constructor(resolve, reject, task, options, host) {
    // `settlesLater`: the answers that `catchUp` delivers may settle the map, but only in a later microtask.
    super(resolve, reject, { cancel: () => this.#cleanUp(), catchUp: host.catchUp, settlesLater: true }, task);
    this.id = MAP_ID;
    this.#host = host;
    this.finishesOnClose = host.finishesOnClose;
    this.#options = options;
    this.#settle = options.settle;
    this.#setLimit();
    if (Array.isArray(options.transfer)) this.#transferList = validateTransfer(options.transfer, host.isNative);
    if (options.timeout !== undefined) this.#timeUpAt = now() + options.timeout;
  }

  /** @param {Iterable<unknown> | AsyncIterable<unknown>} source */
  run(source) {
    this.#source = new InputSource(source);
    this.control(this.#options, this.#host.holds);
    if (this.isSettled) return;
    try {
      this.#source.open(true);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // The source's [Symbol.iterator]() is the program's code: it may have ended the map.
    if (this.isSettled) return this.#source.close();
    this.#pull();
    if (this.#source.items !== undefined) this.#keepRest();
  }

  #setLimit() {
    const threads = this.#host.threads();
    this.#limit = threads + Math.min(this.#host.maxQueue, threads * (TASKS_PER_THREAD - 1));
  }

  /** The pool has another size. */
  resized() {
    this.#setLimit();
    this.#pull();
  }

  /** Asks for inputs, as many as there is room for. */
  #pull() {
    while (this.#wantsMore()) this.#ask();
    if (this.isSettled || this.#underWay > 0) return;
    if (this.#source.isExhausted && this.#waiting === undefined) this.#finish();
    else if (this.#poolIsClosing) this.end(new PoolClosedError('the pool was closed before the source of the inputs had ended'));
  }

  #wantsMore() {
    const { isExhausted, isAsked } = this.#source;
    if (this.isSettled || isExhausted || isAsked || this.#poolIsClosing || this.#waiting !== undefined) return false;
    return this.#underWay < this.#limit;
  }

  #ask() {
    this.#source.ask(
      (result) => {
        this.#read(result);
        if (this.#source.isAsync) this.#pull();
      },
      (error) => this.#sourceFailed(error),
    );
  }

  #read(result) {
    this.#source.isAsked = false;
    if (this.isSettled) return;
    let next;
    try {
      next = this.#source.read(result);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // A getter may have ended it.
    if (this.isSettled) return;
    if (next.done) this.#source.isExhausted = true;
    else if (!this.#poolIsClosing) this.#submit(next.input, this.#inputCount++);
  }

  /** @param {object[]} [given] its transfer list, where that is known already */
  #submit(input, number, given) {
    const { admission, ownerOf, submit } = this.#host;
    if (!admission.admits(ownerOf())) return this.#wait(input, number, given);
    let options;
    try {
      if (input instanceof KeptInput) ({ value: input, transfer: given } = input.take());
      options = this.#optionsFor(given ?? this.#transferFor(input));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.isSettled) return;
    this.#underWay++;
    submit(input, options).then(
      (output) => {
        this.#underWay--;
        if (this.isSettled) return;
        this.#outputs.set(number, this.#settle ? fulfilled(output, number) : output);
        this.#pull();
      },
      (error) => {
        this.#underWay--;
        if (this.isSettled) return;
        // Other tasks have filled the queue meanwhile, so the input waits. Objects that were moved belong to `error.input`
        // now: 'auto' finds them there.
        if (isRefusal(error)) return this.#wait(error.input, number, options.transfer?.length > 0 ? 'auto' : undefined);
        this.#inputFailed(error, number);
      },
    );
  }

  /** The input waits until it can be submitted. */
  #wait(input, number, given) {
    let waiting = input;
    try {
      if (this.finishesOnClose) waiting = this.#keep(input, given ?? this.#transferFor(input));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.isSettled) return;
    const entry = {
      go: () => {
        if (this.isSettled) return;
        this.#waiting = undefined;
        this.#submit(waiting, number, given);
        this.#pull();
      },
      fail: (error) => this.end(error),
    };
    this.#waiting = { input: waiting, entry };
    this.#host.admission.wait(entry, this.#host.ownerOf());
  }

  /** Keeps the array's remaining inputs as they are now, so that later changes by the caller have no effect. */
  #keepRest() {
    const { items } = this.#source;
    try {
      for (let i = this.#inputCount; i < items.length && !this.isSettled; i++) {
        const { [i]: item } = items;
        items[i] = this.#keep(item, this.#transferFor(item));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A copy of the input as it is now; primitives are returned as they are. */
  #keep(input, transfer) {
    if (typeof input !== 'object' || input === null || input instanceof KeptInput) return input;
    const kept = KeptInput.of(input, transfer);
    // A getter of the input may have ended the map.
    if (this.isSettled) kept.discard();
    return kept;
  }

  /** The transfer list of one input. */
  #transferFor(input) {
    return this.#transferList === undefined ? this.#options.transfer : listedIn(input, this.#transferList);
  }

  /** The options of one input's task. They are copied by name: an option that is not here does not reach the tasks of a map. */
  #optionsFor(transfer) {
    const {
      priority, key, parallel, filename, name, onOutput, onProgress, progress, signal, deadline, runTimeout, spread, worker, context,
    } = this.#options;
    const options = { priority, parallel };
    if (context !== undefined) options[CONTEXT] = context.inner;
    // With a signal a task would need a worker to itself (sharesWorkers): only where the caller gave a signal or a time limit.
    const endsEarly = signal !== undefined || this.#timeUpAt !== undefined || deadline !== undefined;
    if (!this.#host.sharesWorkers || endsEarly) options.signal = this.#stop.signal;
    if (key !== undefined) options.key = key;
    if (onOutput !== undefined) options.onOutput = onOutput;
    if (onProgress !== undefined) options.onProgress = onProgress;
    if (progress === 'latest') options.progress = progress;
    if (filename !== undefined) options.filename = filename;
    if (name !== undefined) options.name = name;
    if (worker !== undefined) options.worker = worker;
    if (spread) options.spread = true;
    // So that the threads stop also while this thread is blocked. 1 ms later than the map's own timer, whose error names the
    // limit that the caller passed.
    if (this.#timeUpAt !== undefined) options.timeout = Math.max(0, Math.ceil(this.#timeUpAt - now())) + 1;
    if (deadline !== undefined) options.deadline = Math.max(0, Math.ceil(deadline - now())) + 1;
    if (runTimeout !== undefined) options.runTimeout = runTimeout;
    if (transfer !== undefined) options.transfer = transfer;
    return options;
  }

  /** The pool is closing. Inputs that were read are still processed; then the map fails, unless the source has ended. */
  poolCloses() {
    if (this.finishesOnClose) return;
    this.#poolIsClosing = true;
    this.#pull();
  }

  /** Ends it, unless all of its inputs are in the queue or were taken from there. */
  dropRest(error) {
    if (!this.#source.isExhausted || this.#waiting !== undefined) this.end(error);
  }

  #sourceFailed(error) {
    this.#source.isExhausted = true;
    this.#fail(error);
  }

  /** The task of an input has failed. */
  #inputFailed(error, number) {
    if (!this.#settle || this.#isLate(error)) return this.#fail(named(error, number));
    this.#outputs.set(number, rejected(error, number));
    this.#pull();
  }

  /** Whether an error says that the time of the whole map is up: a task's time limits are the map's own (#optionsFor). */
  #isLate(error) {
    const isTimeUp = error instanceof TaskTimeoutError && this.#timeUpAt !== undefined && now() >= this.#timeUpAt;
    return isTimeUp || (error instanceof DeadlineError && this.isPastDeadline);
  }

  #fail(error) {
    if (this.#isLate(error)) this.timeUp();
    else this.end(error);
  }

  #finish() {
    const outputs = this.#outputs;
    this.resolve(Array.from({ length: this.#inputCount }, (_, number) => outputs.get(number)));
    this.#host.onSettled();
  }

  /** The map was rejected: lets go of everything. */
  #cleanUp() {
    const mayHaveStarted = this.#underWay > 0 || this.#outputs.size > 0;
    this.#discardWaiting();
    this.#discardKept();
    this.#outputs.clear();
    this.#stop.abort();
    this.#source.close();
    this.#host.onSettled();
    // What is left of it are tasks, which count themselves.
    this.over();
    return mayHaveStarted;
  }

  #discardWaiting() {
    if (this.#waiting === undefined) return;
    const { input, entry } = this.#waiting;
    this.#waiting = undefined;
    this.#host.admission.leave(entry);
    if (input instanceof KeptInput) input.discard();
  }

  /** Discards kept inputs of tasks that will not be submitted. */
  #discardKept() {
    const items = this.#source.items ?? [];
    for (let i = this.#inputCount; i < items.length; i++) if (items[i] instanceof KeptInput) items[i].discard();
    this.#source.items = undefined;
  }
}

/**
 * Input by input: those of an async source, or for the script.
 *
 * @param {import('./flow').Parts} parts of the pool
 */
function mapInputByInput(parts, task, owner, inputs, isAsync, options, resolve, reject) {
  const { pool, native, tasks, admission, scriptTasks, settings, maps, threadsFor, mapSettled, run } = parts;
  const isNative = owner === NATIVE;
  // A pool that closes finishes the accepted inputs: all of an array; of an async source those that have come so far.
  const finishesOnClose = !isAsync;
  const map = new InputByInputMap(resolve, reject, task, options, {
    threads: () => threadsFor(owner),
    maxQueue: settings.maxQueue,
    isNative,
    finishesOnClose,
    holds: native.holds,
    sharesWorkers: !isNative && scriptTasks.separates,
    admission,
    ownerOf: () => tasks.ownerOf(task, options),
    submit: finishesOnClose
      ? (input, submitted) => run(task, input, submitted)
      : (input, submitted) => untraced(() => pool.run(task, input, submitted)),
    catchUp: () => native.catchUp(),
    onSettled: () => mapSettled(map),
  });
  maps.add(map);
  map.run(inputs);
}

module.exports = { mapInputByInput };
