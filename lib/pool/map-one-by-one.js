'use strict';

/**
 * `pool.map` where the inputs cannot go as one batch: those of an async source, and those of a script's function. They
 * are taken from the source only as fast as the pool works them off.
 *
 * The call's signal, its time limit, its first failure and the end of the pool end it at once, however quiet the source
 * is: nothing here waits for the source. Then no further input is asked for, the tasks under way are cancelled, and the
 * source is closed by its `return()`, as `for await` would. A pool that closes in order finishes first what is under way.
 *
 * A full queue refuses none of the inputs: the one at hand waits for room (waiting-room.js), and with it the source.
 */

const nodeGlobals = require('../runtime/globals');
const { now } = require('../runtime/clock');
const { PoolClosedError, TaskTimeoutError } = require('../errors');
const { Pending } = require('../task/pending');
const { KeptInput } = require('../script-pool/kept-input');
const { validateTransfer } = require('../transfer/task-transfer');
const { listedIn } = require('../transfer/transferables');
const { InputSource } = require('./input-source');
const { isRefusal } = require('./waiting-room');

/** Tasks under way for each thread: enough that a thread finds the next one waiting. */
const DEPTH = 4;

/** A map has no task of its own: what would cancel that task stops the map. */
const NO_TASK = 1;

class OneByOne extends Pending {
  /** Whether the pool has accepted every input, and finishes them all before it closes. */
  isWhole;

  #place;
  #options;
  /** When its time is up. */
  #deadline;
  #source = new InputSource();

  /** How many inputs were taken. */
  #taken = 0;
  /** By the input's number. Not an array, whose prototype may have accessors. */
  #outputs = new Map();
  #underWay = 0;
  #limit;
  /** The input that waits to be submitted, and its entry in the waiting room. */
  #held;
  /** Whether the pool takes no more inputs. */
  #isRefused = false;
  /** Aborts what is under way. */
  #stop = new nodeGlobals.AbortController();
  /** What is still to be given away, where the call named it. */
  #toGive;

  /**
   * @param {(outputs: unknown[]) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {string} task
   * @param {object} options what `submitOptions` gives, `onProgress` and `name`; `transfer` may be 'auto'
   * @param {object} place where the tasks are run
   * @param {number} place.threads that may work on them
   * @param {number} place.maxQueue
   * @param {boolean} place.isNative whether the task is native
   * @param {boolean} place.isWhole
   * @param {boolean} place.holds whether the time limit keeps the event loop alive
   * @param {boolean} place.sharesWorkers whether a worker runs several tasks at a time, but none beside one that may be
   *   stopped
   * @param {import('./waiting-room').WaitingRoom} place.room
   * @param {() => number} place.ownerOf of the task, as far as it is known by now
   * @param {(input: unknown, options: object) => Promise<unknown>} place.submit
   * @param {() => void} place.catchUp delivers what the native side has to tell by now
   * @param {() => void} place.over called when the map was settled
   */
  constructor(resolve, reject, task, options, place) {
    super(resolve, reject, { cancel: () => this.#endedEarly(), catchUp: place.catchUp, settlesLater: true }, task);
    this.id = NO_TASK;
    const { threads, maxQueue } = place;
    this.#place = place;
    this.isWhole = place.isWhole;
    this.#options = options;
    this.#limit = threads + Math.min(maxQueue, threads * (DEPTH - 1));
    if (Array.isArray(options.transfer)) this.#toGive = validateTransfer(options.transfer, place.isNative);
    if (options.timeout !== undefined) this.#deadline = now() + options.timeout;
  }

  /** @param {Iterable<unknown> | AsyncIterable<unknown>} source */
  run(source) {
    this.control(this.#options, this.#place.holds);
    if (this.isSettled) return;
    try {
      this.#source.open(source);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // Its own code may have ended the map.
    if (this.isSettled) return this.#source.close();
    this.#pull();
    if (this.#source.items !== undefined) this.#keepRest();
  }

  /** Asks for inputs, as many as there is room for. */
  #pull() {
    while (this.#wantsMore()) this.#ask();
    if (this.isSettled || this.#underWay > 0) return;
    if (this.#source.isExhausted && this.#held === undefined) this.#finish();
    else if (this.#isRefused) this.end(new PoolClosedError('the pool was closed before the source of the inputs had ended'));
  }

  #wantsMore() {
    const { isExhausted, isAsked } = this.#source;
    if (this.isSettled || isExhausted || isAsked || this.#isRefused || this.#held !== undefined) return false;
    return this.#underWay < this.#limit;
  }

  #ask() {
    this.#source.ask(
      (result) => {
        this.#take(result);
        if (this.#source.isAsync) this.#pull();
      },
      (error) => this.#sourceFailed(error),
    );
  }

  #take(result) {
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
    else if (!this.#isRefused) this.#submit(next.input, this.#taken++);
  }

  /** @param {object[]} [given] what of it is given away, where that is known already */
  #submit(input, number, given) {
    const { room, ownerOf, submit } = this.#place;
    if (!room.admits(ownerOf())) return this.#hold(input, number, given);
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
        this.#outputs.set(number, output);
        this.#pull();
      },
      (error) => {
        this.#underWay--;
        if (this.isSettled) return;
        // Others have filled the queue meanwhile.
        // What was given away with it is its own by now.
        if (isRefusal(error)) this.#hold(error.input, number, options.transfer?.length > 0 ? 'auto' : undefined);
        else this.#fail(error);
      },
    );
  }

  /** The input waits until it can be submitted. */
  #hold(input, number, given) {
    let held = input;
    try {
      if (this.isWhole) held = this.#kept(input, given ?? this.#transferFor(input));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.isSettled) return;
    const entry = {
      go: () => {
        if (this.isSettled) return;
        this.#held = undefined;
        this.#submit(held, number, given);
        this.#pull();
      },
      fail: (error) => this.end(error),
    };
    this.#held = { input: held, entry };
    this.#place.room.wait(entry, this.#place.ownerOf());
  }

  /** What could not be submitted at once is taken now all the same: an array counts as it is at the call. */
  #keepRest() {
    const { items } = this.#source;
    try {
      for (let i = this.#taken; i < items.length && !this.isSettled; i++) {
        const { [i]: item } = items;
        items[i] = this.#kept(item, this.#transferFor(item));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The input as it is now. */
  #kept(input, transfer) {
    if (typeof input !== 'object' || input === null || input instanceof KeptInput) return input;
    const kept = KeptInput.of(input, transfer);
    // A getter of it may have ended the map.
    if (this.isSettled) kept.discard();
    return kept;
  }

  /** What of an input is given away. */
  #transferFor(input) {
    return this.#toGive === undefined ? this.#options.transfer : listedIn(input, this.#toGive);
  }

  #optionsFor(transfer) {
    const { priority, parallel, onProgress, name, signal } = this.#options;
    const options = { priority, parallel };
    // One that can be stopped would have a shared worker for itself: only if the caller wants that.
    if (!this.#place.sharesWorkers || signal !== undefined || this.#deadline !== undefined) options.signal = this.#stop.signal;
    if (onProgress !== undefined) options.onProgress = onProgress;
    if (name !== undefined) options.name = name;
    // So that threads stop also while this one is blocked; after the map's own timer, which has the right words.
    if (this.#deadline !== undefined) options.timeout = Math.max(0, Math.ceil(this.#deadline - now())) + 1;
    if (transfer !== undefined) options.transfer = transfer;
    return options;
  }

  /** The pool closes. What has come so far is done yet; then the map fails, unless the source has ended. */
  poolCloses() {
    if (this.isWhole) return;
    this.#isRefused = true;
    this.#pull();
  }

  #sourceFailed(error) {
    this.#source.isExhausted = true;
    this.#fail(error);
  }

  #fail(error) {
    const isLate = error instanceof TaskTimeoutError && this.#deadline !== undefined && now() >= this.#deadline;
    if (isLate) this.timeUp(this.#options.timeout);
    else this.end(error);
  }

  #finish() {
    const outputs = this.#outputs;
    this.resolve(Array.from({ length: this.#taken }, (_, number) => outputs.get(number)));
    this.#place.over();
  }

  /** It was rejected. */
  #endedEarly() {
    this.#discardHeld();
    this.#discardKept();
    this.#outputs.clear();
    this.#stop.abort();
    this.#source.close();
    this.#place.over();
  }

  #discardHeld() {
    if (this.#held === undefined) return;
    const { input, entry } = this.#held;
    this.#held = undefined;
    this.#place.room.leave(entry);
    if (input instanceof KeptInput) input.discard();
  }

  /** Discards what was taken for tasks that will not be submitted. */
  #discardKept() {
    const items = this.#source.items ?? [];
    for (let i = this.#taken; i < items.length; i++) if (items[i] instanceof KeptInput) items[i].discard();
    this.#source.items = undefined;
  }
}

module.exports = { OneByOne };
