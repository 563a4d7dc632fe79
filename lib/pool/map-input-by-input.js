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
const { KeptInput } = require('../script-pool/kept-input');
const { validateTransfer } = require('../transfer/task-transfer');
const { listedIn } = require('../transfer/transferables');
const { fulfilled, named, rejected } = require('../flow/outcomes');
const { InputSource } = require('../flow/source');
const { isRefusal } = require('./admission');
const { MapOutputs } = require('./map-outputs');
const { asksLittle, optionsOfTask } = require('./map-task-options');
const { MapTasks } = require('./map-tasks');
const { MapWindow } = require('./map-window');
const { SCRIPT } = require('./task-router');

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
  #outputs;
  #underWay = 0;
  /** How many tasks may be under way at a time. */
  #window;
  /** Those of a script's function that need no options of their own; undefined where they do. */
  #tasks;
  /** Whether more inputs will be asked for at the end of this turn. */
  #pullsSoon = false;
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
   * @param {import('../script-pool/native-script-pool').NativeScriptPool} host.native
   * @param {import('../script-pool/script-submitter').ScriptSubmitter} [host.scriptTasks]
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
    const { items } = this.#source;
    this.#outputs = new MapOutputs(items?.length);
    // An array is in memory anyway. Any other source is read as it is worked off.
    this.#window = new MapWindow(this.#host.threads(), this.#host.maxQueue, items !== undefined);
    const isForScript = this.#host.scriptTasks !== undefined;
    if (isForScript && this.#timeUpAt === undefined && asksLittle(this.#options)) this.#tasks = this.#openTasks();
    this.#pull();
    if (this.#source.items !== undefined) this.#keepRest();
  }

  #openTasks() {
    const { native, scriptTasks } = this.#host;
    return new MapTasks(native, scriptTasks, this.task, this.#options, this.#stopsTasks, {
      succeeded: (output, number) => {
        this.#succeeded(output, number);
        if (!this.#pullsSoon) this.#pullSoon();
      },
      failed: (error, number) => {
        this.#answered();
        this.#inputFailed(error, number);
      },
    });
  }

  /** Whether its tasks are stopped when it ends early: with a signal a task would need a worker to itself (sharesWorkers). */
  get #stopsTasks() {
    const { signal, deadline } = this.#options;
    return !this.#host.sharesWorkers || signal !== undefined || this.#timeUpAt !== undefined || deadline !== undefined;
  }

  /** The pool has another size. */
  resized() {
    // The program's code that opens the source may do it.
    if (this.#window === undefined) return;
    this.#window.resize(this.#host.threads(), this.#host.maxQueue, this.#source.items !== undefined);
    this.#pull();
  }

  /** Asks for inputs after the answers of this turn. */
  async #pullSoon() {
    this.#pullsSoon = true;
    await undefined;
    this.#pullsSoon = false;
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
    return this.#window.hasRoom(this.#underWay);
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
    const { admission, ownerOf } = this.#host;
    const owner = ownerOf();
    if (this.#isForTasks(input, owner)) this.#submitToTasks(input, number);
    else if (admission.admits(owner)) this.#submitByItself(input, number, given);
    else this.#wait(input, number, given);
  }

  #submitByItself(input, number, given) {
    const { submit } = this.#host;
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
        if (this.isSettled) return;
        this.#succeeded(output, number);
        this.#pull();
      },
      (error) => {
        this.#answered();
        if (this.isSettled) return;
        // Other tasks have filled the queue meanwhile, so the input waits. Objects that were moved belong to `error.input`
        // now: 'auto' finds them there.
        if (isRefusal(error)) return this.#wait(error.input, number, options.transfer?.length > 0 ? 'auto' : undefined);
        this.#inputFailed(error, number);
      },
    );
  }

  /** Whether an input may be one of `#tasks`: unless it may be refused, and what was encoded of it is gone then. */
  #isForTasks(input, owner) {
    if (this.#tasks === undefined || owner !== SCRIPT) return false;
    const isKept = input instanceof KeptInput;
    if (isKept && input.prepared === undefined) return false;
    if (this.#host.maxQueue === Infinity) return true;
    return (isKept || typeof input !== 'object') && this.#host.admission.admits(owner);
  }

  #submitToTasks(input, number) {
    this.#underWay++;
    try {
      const left = this.#tasks.submit(input, number);
      if (left === undefined) return;
      this.#underWay--;
      this.#submitByItself(left.value, number);
    } catch (error) {
      this.#tasks.fail(error, number);
    }
  }

  #answered() {
    this.#underWay--;
    this.#window.answered();
  }

  #succeeded(output, number) {
    this.#answered();
    this.#outputs.put(number, this.#settle ? fulfilled(output, number) : output);
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
    const kept = this.#tasks === undefined ? KeptInput.of(input, transfer) : this.#keepForScript(input);
    // A getter of the input may have ended the map.
    if (this.isSettled) kept.discard();
    return kept;
  }

  #keepForScript(input) {
    return this.#host.ownerOf() === SCRIPT ? KeptInput.forScript(input) : KeptInput.of(input);
  }

  /** The transfer list of one input. */
  #transferFor(input) {
    return this.#transferList === undefined ? this.#options.transfer : listedIn(input, this.#transferList);
  }

  /** The options of the task of an input that is none of `#tasks`. */
  #optionsFor(transfer) {
    return optionsOfTask(this.#options, this.#stopsTasks ? this.#stop.signal : undefined, this.#timeUpAt, transfer);
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
    this.#outputs.put(number, rejected(error, number));
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
    this.#tasks?.end();
    this.resolve(this.#outputs.list());
    this.#host.onSettled();
  }

  /** The map was rejected: lets go of everything. */
  #cleanUp() {
    const mayHaveStarted = this.#underWay > 0 || this.#outputs?.count > 0;
    this.#discardWaiting();
    this.#discardKept();
    this.#outputs = undefined;
    this.#stop.abort();
    this.#tasks?.end();
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

module.exports = { InputByInputMap };
