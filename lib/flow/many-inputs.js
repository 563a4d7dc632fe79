'use strict';

/**
 * What the calls have in common that send many inputs in chunks: `forEach` (chunks.js) and `reduce` (reduction.js).
 *
 * They end as a `map` does (pool/map-input-by-input.js): by the signal, a time limit, `destroy()`, or an input that fails. Then chunks under
 * way are cancelled, and the source is closed. A chunk that finds the queue full waits for room.
 */

const nodeGlobals = require('../runtime/globals');
const { now } = require('../runtime/clock');
const { SafeSet } = require('../runtime/intrinsics');
const { DeadlineError, InputFailedError, PoolClosedError, TaskTimeoutError } = require('../errors');
const { Pending } = require('../task/pending');
const { inputFailed, isOfTheCall } = require('./outcomes');
const { InputSource } = require('./source');

/** `Pending` cancels only what has an id; its value is not used. */
const ID = 1;

class ManyInputs extends Pending {
  /** Whether a closing pool runs all inputs: not those of an async source, of which it runs what has come. */
  finishesOnClose;
  host;
  source;
  /** Chunks under way, and entries of those that wait for room. */
  underWay = 0;
  waiting = new SafeSet();
  poolIsClosing = false;

  #options;
  #stop = new nodeGlobals.AbortController();
  #timeUpAt;
  #hasSubmitted = false;

  /**
   * @param {(value: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {string} task
   * @param {object} options as `submitOptions` returns them
   * @param {object} host functions of the pool
   * @param {boolean} host.isNative
   * @param {boolean} host.finishesOnClose see the field
   * @param {number} host.threads
   * @param {boolean} host.holds whether the time limit keeps the event loop alive
   * @param {import('../pool/admission').Admission} host.admission
   * @param {() => number} host.ownerOf
   * @param {(error: unknown) => boolean} host.isRefusal
   * @param {(input: unknown, options: object) => Promise<unknown>} host.submit
   * @param {() => void} host.catchUp
   * @param {(run: ManyInputs) => void} host.onSettled
   */
  constructor(resolve, reject, task, options, host) {
    super(resolve, reject, { cancel: () => this.#cleanUp(), catchUp: host.catchUp, settlesLater: true }, task);
    this.id = ID;
    this.host = host;
    this.#options = options;
    this.finishesOnClose = host.finishesOnClose;
    if (options.timeout !== undefined) this.#timeUpAt = now() + options.timeout;
  }

  /** @param {Iterable<unknown> | AsyncIterable<unknown>} source */
  run(source) {
    this.source = new InputSource(source);
    this.control(this.#options, this.host.holds);
    if (this.isSettled) return;
    try {
      this.source.open(true);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // The source's [Symbol.iterator]() is the program's code: it may have ended the run.
    if (this.isSettled) return void this.source.close();
    const { items } = this.source;
    if (items !== undefined) {
      this.source.isExhausted = true;
      this.takeAll(items);
    }
    this.advance();
  }

  /** Asks for the next input, which `take` gets. */
  ask() {
    this.source.ask(
      (result) => {
        this.#read(result);
        if (this.source.isAsync) this.advance();
      },
      (error) => {
        this.source.isAsked = false;
        this.#sourceFailed(error);
      },
    );
  }

  #read(result) {
    this.source.isAsked = false;
    if (this.isSettled) return;
    let next;
    try {
      next = this.source.read(result);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    if (this.isSettled) return;
    if (next.done) this.source.isExhausted = true;
    else this.take(next.input);
  }

  #sourceFailed(error) {
    this.source.isExhausted = true;
    this.end(error);
  }

  /** Whether the source may be asked. */
  get mayAsk() {
    const { isExhausted, isAsked } = this.source;
    return !this.isSettled && !isExhausted && !isAsked && !this.poolIsClosing;
  }

  /** Whether the source has ended. */
  get hasAll() {
    return this.source.isExhausted && !this.source.isAsked;
  }

  /**
   * Submits a chunk, when there is room.
   *
   * @param {unknown} chunk the input of its task
   * @param {number} first the number of its first input
   * @param {number} count
   * @param {(output: unknown) => void} ended
   */
  submit(chunk, first, count, ended) {
    const { admission, ownerOf, isRefusal, submit } = this.host;
    if (!admission.admits(ownerOf())) return this.#wait(chunk, first, count, ended);
    this.underWay++;
    this.#hasSubmitted = true;
    submit(chunk, this.#optionsOfChunk()).then(
      (output) => {
        this.underWay--;
        if (this.isSettled) return;
        ended(output);
        this.advance();
      },
      (error) => {
        this.underWay--;
        if (this.isSettled) return;
        if (isRefusal(error)) this.#wait(chunk, first, count, ended);
        else this.#failed(error, first, count);
      },
    );
  }

  #wait(chunk, first, count, ended) {
    const { admission, ownerOf } = this.host;
    const entry = {
      go: () => {
        this.waiting.delete(entry);
        if (this.isSettled) return;
        this.submit(chunk, first, count, ended);
        this.advance();
      },
      fail: (error) => this.end(error),
    };
    this.waiting.add(entry);
    admission.wait(entry, ownerOf());
  }

  #optionsOfChunk() {
    const { context } = this.#options;
    const options = { ...this.#options, signal: this.#stop.signal, outerSignal: undefined, context: context?.inner };
    // As for the inputs of a map: so that the threads stop also while this thread is blocked.
    if (this.#timeUpAt !== undefined) options.timeout = Math.max(0, Math.ceil(this.#timeUpAt - now())) + 1;
    return options;
  }

  #failed(error, first, count) {
    const isTimeUp = error instanceof TaskTimeoutError && this.#timeUpAt !== undefined && now() >= this.#timeUpAt;
    if (isTimeUp || (error instanceof DeadlineError && this.isPastDeadline)) this.timeUp();
    else if (isOfTheCall(error)) this.end(error);
    else if (error instanceof InputFailedError) this.end(this.named(error));
    else if (Object.hasOwn(Object(error), 'index')) this.end(inputFailed(error, first + error.index, this.task));
    else this.end(inputFailed(error, first, this.task, first + count - 1));
  }

  /** The error of an input, as the worker has named it. */
  named(error) {
    return error;
  }

  finish(value) {
    this.resolve(value);
    this.host.onSettled(this);
  }

  poolCloses() {
    if (this.finishesOnClose) return;
    this.poolIsClosing = true;
    this.advance();
  }

  /** The pool has closed, and not every input has come. */
  endsUnfinished() {
    this.end(new PoolClosedError('the pool was closed before the source of the inputs had ended', { task: this.task }));
  }

  /** It was rejected: lets go of everything. */
  #cleanUp() {
    for (const entry of this.waiting) this.host.admission.leave(entry);
    this.waiting.clear();
    this.drop();
    this.#stop.abort();
    this.source.close();
    this.host.onSettled(this);
    // What is left of it are tasks, which count themselves.
    this.over();
    return this.#hasSubmitted;
  }
}

module.exports = { ManyInputs };
