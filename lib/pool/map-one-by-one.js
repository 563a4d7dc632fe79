'use strict';

/**
 * `pool.map` where the inputs cannot go as one batch: those of an async source, and those of a script's function. They
 * are taken from the source only as fast as the pool works them off.
 *
 * The call's signal, its time limit, its first failure and the end of the pool end it at once, however quiet the source
 * is: nothing here waits for the source. Then no further input is asked for, what is under way is cancelled, and the
 * source is closed by its `return()`, as `for await` would. What a source throws while it is closed is passed over, as
 * there. A pool that closes in order finishes first what is under way.
 *
 * A full queue refuses none of the inputs: the one at hand waits, and with it the source.
 */

const nodeGlobals = require('../runtime/globals');
const { now } = require('../runtime/clock');
const { PoolClosedError, TaskTimeoutError } = require('../errors');
const { Pending } = require('../pending');
const { keep, takeKept } = require('../script-pool/kept-input');
const { discard } = require('../script-pool/transfer');
const { validateTransfer } = require('../transfer/task-transfer');
const { listedIn } = require('../transfer/transferables');

/** Tasks under way for each thread: enough that a thread finds the next one waiting. */
const DEPTH = 4;

/** A map has no task of its own: what would cancel that stops the map. */
const NO_TASK = 1;

/** An input that was taken at the call, and waits for its turn. */
class Kept {
  /** @param {object} aside what `keep` gave for it */
  constructor(aside) {
    this.aside = aside;
  }
}

class OneByOne {
  /** Whether the pool has accepted every input, and finishes them all before it closes. */
  isWhole;

  #pending;
  #place;
  #terms;
  /** When its time is up. */
  #deadline;

  /** The inputs, where the source is an array. */
  #items;
  #iterator;
  #next;
  #isAsync;
  /** Whether an answer of the source is awaited. */
  #asking = false;
  /** Whether the source has ended, by itself or by throwing: then it is not closed. */
  #exhausted = false;

  /** How many inputs were taken. */
  #taken = 0;
  /** By the input's number. Not an array, whose prototype may have accessors. */
  #outputs = new Map();
  #underWay = 0;
  #limit;
  /** The input that waits for room in the queue, and its number. */
  #held;
  #over = false;
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
   * @param {object} terms what `runTerms` gives, `onProgress` and `name`; `transfer` may be 'auto'
   * @param {{
   *   threads: number, maxQueue: number, holds: boolean, isNative: boolean, isWhole: boolean,
   *   start(input: unknown, options: object): Promise<unknown>,
   *   sharesWorkers: boolean, catchUp(): void, hasRoom(): boolean, whenRoom(act: () => void): void,
   *   isRefusal(error: unknown): boolean, over(): void,
   * }} place where the tasks are run
   */
  constructor(resolve, reject, task, terms, place) {
    const { threads, maxQueue } = place;
    this.#place = place;
    this.isWhole = place.isWhole;
    this.#terms = terms;
    this.#limit = threads + Math.min(maxQueue, threads * (DEPTH - 1));
    if (Array.isArray(terms.transfer)) this.#toGive = validateTransfer(terms.transfer, place.isNative);
    const asPool = { cancel: () => this.#ended(), catchUp: () => place.catchUp(), settlesLater: true };
    this.#pending = new Pending(resolve, reject, asPool, task);
    this.#pending.id = NO_TASK;
    if (terms.timeout !== undefined) this.#deadline = now() + terms.timeout;
  }

  /** @param {Iterable<unknown> | AsyncIterable<unknown>} source */
  run(source) {
    this.#pending.control(this.#terms, this.#place.holds);
    if (this.#over) return;
    try {
      this.#open(source);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    this.#pull();
    if (this.#items !== undefined) this.#keepRest();
  }

  /** What could not be submitted at once is taken now all the same: an array counts as it is at the call. */
  #keepRest() {
    const items = this.#items;
    try {
      for (let i = this.#taken; i < items.length && !this.#over; i++) {
        const { [i]: item } = items;
        items[i] = this.#kept(item, this.#transferFor(item));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The input as it is now. */
  #kept(input, transfer) {
    if (typeof input !== 'object' || input === null || input instanceof Kept) return input;
    const kept = new Kept(keep(input, transfer));
    // A getter of it may have ended the map.
    if (this.#over) this.#discard(kept);
    return kept;
  }

  #discard(input) {
    if (input instanceof Kept) discard(input.aside);
  }

  #open(source) {
    const openAsync = source[Symbol.asyncIterator];
    this.#isAsync = openAsync !== undefined && openAsync !== null;
    if (!this.#isAsync && Array.isArray(source)) this.#items = [...source];
    const iterator = this.#isAsync ? Reflect.apply(openAsync, source, []) : (this.#items ?? source)[Symbol.iterator]();
    if (typeof iterator !== 'object' || iterator === null) {
      throw new TypeError('The "inputs" argument gave an iterator that is no object');
    }
    this.#iterator = iterator;
    this.#next = iterator.next;
    // Its own code may have ended the map.
    if (this.#over) this.#close();
  }

  /** The pool closes. What has come so far is done yet; then the map fails, unless the source has ended. */
  poolCloses() {
    if (this.isWhole) return;
    this.#isRefused = true;
    this.#pull();
  }

  /** Ends it early. */
  fail(error) {
    this.#pending.end(error);
  }

  /** Asks for inputs, as many as there is room for. */
  #pull() {
    while (this.#wantsMore()) this.#ask();
    if (this.#over || this.#underWay > 0) return;
    if (this.#exhausted && this.#held === undefined) this.#finish();
    else if (this.#isRefused) this.fail(new PoolClosedError('the pool was closed before the source of the inputs had ended'));
  }

  #wantsMore() {
    if (this.#over || this.#exhausted || this.#asking || this.#isRefused || this.#held !== undefined) return false;
    return this.#underWay < this.#limit;
  }

  #ask() {
    this.#asking = true;
    let result;
    try {
      result = Reflect.apply(this.#next, this.#iterator, []);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    if (!this.#isAsync) return this.#take(result);
    // By an executor: reading a `then` may throw.
    new Promise((resolve) => resolve(result)).then(
      (given) => {
        this.#take(given);
        this.#pull();
      },
      (error) => this.#sourceFailed(error),
    );
  }

  #take(result) {
    this.#asking = false;
    if (this.#over) return;
    let done;
    let input;
    try {
      if (typeof result !== 'object' || result === null) {
        throw new TypeError(`The source of the inputs gave ${String(result)} where an iterator result should be`);
      }
      done = Boolean(result.done);
      if (!done) input = result.value;
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // A getter may have ended it.
    if (this.#over) return;
    if (done) this.#exhausted = true;
    else if (!this.#isRefused) this.#submit(input, this.#taken++);
  }

  /** @param {object[]} [given] what of it is given away, where that is known already */
  #submit(input, number, given) {
    if (!this.#place.hasRoom()) return this.#hold(input, number, given);
    let options;
    try {
      if (input instanceof Kept) ({ value: input, transfer: given } = takeKept(input.aside));
      options = this.#optionsFor(given ?? this.#transferFor(input));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#over) return;
    this.#underWay++;
    this.#place.start(input, options).then(
      (output) => {
        this.#underWay--;
        if (this.#over) return;
        this.#outputs.set(number, output);
        this.#pull();
      },
      (error) => {
        this.#underWay--;
        if (this.#over) return;
        // Others have filled the queue meanwhile.
        // What was given away with it is its own by now.
        if (this.#place.isRefusal(error)) this.#hold(error.input, number, options.transfer?.length > 0 ? 'auto' : undefined);
        else this.#fail(error);
      },
    );
  }

  #hold(input, number, given) {
    let held = input;
    try {
      if (this.isWhole) held = this.#kept(input, given ?? this.#transferFor(input));
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#over) return;
    this.#held = { input: held };
    this.#place.whenRoom(() => {
      if (this.#over) return;
      this.#held = undefined;
      this.#submit(held, number, given);
      this.#pull();
    });
  }

  /** What of an input is given away. */
  #transferFor(input) {
    return this.#toGive === undefined ? this.#terms.transfer : listedIn(input, this.#toGive);
  }

  #optionsFor(transfer) {
    const { priority, parallel, onProgress, name, signal } = this.#terms;
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

  #finish() {
    this.#over = true;
    const outputs = this.#outputs;
    this.#pending.resolve(Array.from({ length: this.#taken }, (_, number) => outputs.get(number)));
    this.#place.over();
  }

  #sourceFailed(error) {
    this.#exhausted = true;
    this.#fail(error);
  }

  #fail(error) {
    const isLate = error instanceof TaskTimeoutError && this.#deadline !== undefined && now() >= this.#deadline;
    if (isLate) this.#pending.timeUp(this.#terms.timeout);
    else this.fail(error);
  }

  /** It was rejected. */
  #ended() {
    this.#over = true;
    this.#discard(this.#held?.input);
    this.#held = undefined;
    this.#discardKept();
    this.#outputs.clear();
    this.#stop.abort();
    if (!this.#exhausted) this.#close();
    this.#place.over();
  }

  /** What was taken for tasks that will not be. */
  #discardKept() {
    const items = this.#items ?? [];
    for (let i = this.#taken; i < items.length; i++) this.#discard(items[i]);
    this.#items = undefined;
  }

  #close() {
    const iterator = this.#iterator;
    if (iterator === undefined) return;
    this.#exhausted = true;
    const passOver = () => {};
    try {
      const close = iterator.return;
      if (close === undefined || close === null) return;
      const closing = Reflect.apply(close, iterator, []);
      if (this.#isAsync) new Promise((resolve) => resolve(closing)).catch(passOver);
    } catch {
      // What ended the map is what counts.
    }
  }
}

module.exports = { OneByOne };
