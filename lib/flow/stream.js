'use strict';

/**
 * `pool.stream`: the outputs of a task over a source, as they are asked for.
 *
 * Nothing is read before the first output is asked for. From then on the source is read ahead while fewer than `concurrency`
 * tasks are under way, and fewer than that and `highWaterMark` inputs together were read whose outputs nobody has taken. So a slow
 * consumer stops the source.
 *
 * Outputs stand under the number by which they leave: that of their input, or with `ordered: false` the next as they come. The
 * end has its place in that order too:
 * - An input that fails ends the stream after all outputs before it, so in order it is always the first input that failed. The
 *   source is closed at once, and the tasks behind are cancelled as soon as none before is under way.
 * - A source that ends or fails, and a pool that closes, end the stream after the outputs of all inputs that were read.
 * - `return()`, the signal and `destroy()` end it at once: outputs that nobody has taken are dropped, the tasks under way are
 *   cancelled, and the source is closed.
 *
 * An input that finds the queue full waits for room (pool/admission.js), and the source is not read meanwhile.
 */

const { errorBy, onAbort } = require('../abort');
const { abortError, PoolClosedError, takesNoMoreTasks } = require('../errors');
const { showState } = require('../inspection');
const { now } = require('../runtime/clock');
const nodeGlobals = require('../runtime/globals');
const { SafeMap, SafeSet } = require('../runtime/intrinsics');
const { listedIn } = require('../transfer/transferables');
const { validateTransfer } = require('../transfer/task-transfer');
const { fulfilled, inputFailed, isOfTheCall, rejected } = require('./outcomes');
const { InputSource } = require('./source');

const DONE = () => ({ done: true, value: undefined });
/** Stands for the end of the outputs. */
const END = Object.freeze({});

class TaskStream {
  static {
    const stateOf = (it) => ({ task: it.#task, read: it.#read, underWay: it.#underWay.size, ready: it.#ready.size, ended: it.#isEnded });
    showState(this, stateOf);
  }

  /** A pool that closes does not wait until the consumer has taken everything. */
  finishesOnClose = false;

  #task;
  #host;
  #options;
  #source;
  #isOpen = false;
  /** Whether nothing is taken in any more; and whether its last outcome was given. */
  #isOver = false;
  #isEnded = false;
  /** Whether no further input is read. */
  #stopped = false;
  /** What it fails with once all that was read has been given: `{ error }`, of the source or of a pool that closes. */
  #last;

  /** How many inputs were read, and the numbers of those whose tasks are under way. */
  #read = 0;
  #underWay = new SafeSet();
  /** What nobody has taken, by the number by which it leaves: `{ value }`, or `{ error }`, which ends the stream. */
  #ready = new SafeMap();
  /** The number of the next to leave; and of the next to come, where they leave in the order in which they end. */
  #next = 0;
  #come = 0;
  /** The lowest input that failed; -1 where any other is too late then. */
  #failedAt = Infinity;
  /** Calls of `next()` that wait, the oldest first. */
  #asking = new SafeSet();

  /** Entries with `Admission` of inputs that wait for room. */
  #waiting = new SafeSet();
  #transferList;
  /** Aborts the tasks under way. */
  #stop;
  #unwatch;

  /**
   * @param {string} task
   * @param {Iterable<unknown> | AsyncIterable<unknown>} source
   * @param {object} options as `streamOptions` returns them
   * @param {object} host functions of the pool for the stream
   * @param {boolean} host.isNative
   * @param {boolean} host.sharesWorkers whether a worker runs several tasks at once, and a task that can be cancelled has a worker to
   *   itself
   * @param {import('../pool/admission').Admission} host.admission
   * @param {() => number} host.ownerOf whose task it is, for `Admission`
   * @param {(error: unknown) => boolean} host.isRefusal whether an error says that the queue is full
   * @param {(input: unknown, options: object) => Promise<unknown>} host.submit
   * @param {(error: unknown) => unknown} host.placed the error, which says where the stream was made if that is wanted
   * @param {(stream: TaskStream) => void} host.opened
   * @param {(stream: TaskStream) => void} host.over
   */
  constructor(task, source, options, host) {
    this.#task = task;
    this.#host = host;
    this.#options = options;
    this.#source = new InputSource(source);
    if (Array.isArray(options.transfer)) this.#transferList = validateTransfer(options.transfer, host.isNative);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** @returns {Promise<{ done: boolean, value: unknown }>} */
  next() {
    return new Promise((resolve, reject) => {
      if (this.#isEnded) return resolve(DONE());
      this.#asking.add({ resolve, reject });
      if (!this.#isOpen) this.#open();
      this.#advance();
    });
  }

  /**
   * Ends it at once. The promise settles when the source is closed; one that was asked and is quiet is not waited for, since it may never
   * answer.
   */
  async return(value) {
    const waits = !this.#source.isAsked;
    const closing = this.#finish();
    if (waits) await closing;
    return { done: true, value };
  }

  async throw(error) {
    this.#finish();
    throw error;
  }

  async [Symbol.asyncDispose]() {
    await this.return();
  }

  #open() {
    this.#isOpen = true;
    const { admission, sharesWorkers, opened } = this.#host;
    if (admission.isClosed) return this.end(takesNoMoreTasks(this.#task));
    const { signal, outerSignal, deadline, run } = this.#options;
    if (signal !== undefined) this.#watch(signal);
    if (outerSignal !== undefined) this.#watch(outerSignal);
    if (this.#isOver) return;
    // With a signal a task would need a worker to itself: only where the caller gave a signal or a time limit.
    if (!sharesWorkers || signal !== undefined || deadline !== undefined || run.timeout !== undefined) this.#stop = new nodeGlobals.AbortController();
    opened(this);
    try {
      this.#source.open(false);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // The source's [Symbol.iterator]() is the program's code: it may have ended the stream.
    if (this.#isOver) this.#source.close();
  }

  #watch(signal) {
    if (this.#isOver) return;
    try {
      const unwatch = onAbort(signal, () => this.end(errorBy(signal, abortError)));
      if (this.#isOver) return unwatch();
      const others = this.#unwatch;
      this.#unwatch = others === undefined ? unwatch : () => {
        others();
        unwatch();
      };
    } catch (error) {
      this.end(error);
    }
  }

  /** Asks for inputs, as many as there is room for, and gives what is there. */
  #advance() {
    do {
      while (this.#wantsMore()) this.#ask();
      this.#cancelBehind();
    } while (this.#give() && this.#wantsMore());
  }

  #wantsMore() {
    const { isExhausted, isAsked } = this.#source;
    if (this.#isOver || this.#stopped || isExhausted || isAsked || this.#waiting.size > 0) return false;
    const { concurrency, highWaterMark } = this.#options;
    const underWay = this.#underWay.size;
    return underWay < concurrency && underWay + this.#ready.size < concurrency + highWaterMark;
  }

  #ask() {
    this.#source.ask(
      (result) => {
        this.#take(result);
        if (this.#source.isAsync) this.#advance();
      },
      (error) => {
        this.#source.isAsked = false;
        this.#sourceFailed(error);
        if (this.#source.isAsync) this.#advance();
      },
    );
  }

  #take(result) {
    this.#source.isAsked = false;
    if (this.#isOver) return;
    let next;
    try {
      next = this.#source.read(result);
    } catch (error) {
      return this.#sourceFailed(error);
    }
    // A getter may have ended it.
    if (this.#isOver) return;
    if (next.done) this.#source.isExhausted = true;
    else if (!this.#stopped) this.#submit(next.input, this.#read++);
  }

  /** @param {'auto'} [given] the objects to transfer are to be found in the input */
  #submit(input, index, given) {
    const { admission, ownerOf, submit, isRefusal } = this.#host;
    if (!admission.admits(ownerOf())) return this.#wait(input, index, given);
    // Before the program's code runs, which may ask for an output.
    this.#underWay.add(index);
    let options;
    try {
      options = this.#optionsFor(given ?? this.#transferFor(input));
    } catch (error) {
      this.#underWay.delete(index);
      return this.#failed(error, index);
    }
    if (this.#isOver) return;
    submit(input, options).then(
      (output) => {
        this.#underWay.delete(index);
        this.#put(index, { value: this.#options.settle ? fulfilled(output, index) : output });
        this.#advance();
      },
      (error) => {
        this.#underWay.delete(index);
        // Other tasks have filled the queue meanwhile, so the input waits. Objects that were moved belong to `error.input` now:
        // 'auto' finds them there.
        if (isRefusal(error)) this.#wait(error.input, index, options.transfer?.length > 0 ? 'auto' : undefined);
        else this.#failed(error, index);
        this.#advance();
      },
    );
  }

  /** The input waits until it can be submitted. */
  #wait(input, index, given) {
    if (this.#isOver || index > this.#failedAt) return;
    const { admission, ownerOf } = this.#host;
    const entry = {
      index,
      go: () => {
        this.#waiting.delete(entry);
        this.#submit(input, index, given);
        this.#advance();
      },
      fail: (error) => {
        this.#waiting.delete(entry);
        this.end(error);
      },
    };
    this.#waiting.add(entry);
    admission.wait(entry, ownerOf());
  }

  /** Inputs behind this one do not wait any more. */
  #leaveBehind(index) {
    for (const entry of this.#waiting) {
      if (entry.index <= index) continue;
      this.#waiting.delete(entry);
      this.#host.admission.leave(entry);
    }
  }

  #transferFor(input) {
    const { transferOf, transfer } = this.#options;
    if (transferOf !== undefined) return transferOf(input);
    return this.#transferList === undefined ? transfer : listedIn(input, this.#transferList);
  }

  #optionsFor(transfer) {
    const options = { ...this.#options.run };
    const { deadline } = this.#options;
    // That of the call, and not of each task from its submission on.
    if (deadline !== undefined) options.deadline = deadline - now();
    if (this.#stop !== undefined) options.signal = this.#stop.signal;
    if (transfer !== undefined) options.transfer = transfer;
    return options;
  }

  #put(index, entry) {
    if (this.#isOver || index > this.#failedAt) return;
    this.#ready.set(this.#options.ordered ? index : this.#come++, entry);
  }

  /** An input has failed. */
  #failed(error, index) {
    if (this.#isOver || index > this.#failedAt) return;
    const { ordered, settle } = this.#options;
    const isClosed = error instanceof PoolClosedError && this.#host.admission.isClosed;
    if (settle && !isClosed) return this.#put(index, { value: rejected(error, index) });
    this.#put(index, { error: isOfTheCall(error) ? error : inputFailed(error, index, this.#task) });
    this.#failedAt = ordered ? index : -1;
    this.#stopped = true;
    this.#leaveBehind(this.#failedAt);
    if (ordered) for (const number of this.#ready.keys()) if (number > index) this.#ready.delete(number);
    this.#source.close();
  }

  /** Cancels the tasks behind an input that has failed, once none before it is under way: all have one signal. */
  #cancelBehind() {
    if (this.#failedAt === Infinity || this.#isOver) return;
    for (const index of this.#underWay) if (index < this.#failedAt) return;
    for (const { index } of this.#waiting) if (index < this.#failedAt) return;
    this.#stop?.abort();
  }

  #sourceFailed(error) {
    this.#source.isExhausted = true;
    this.#endLater(error);
  }

  /** No further input comes: the stream fails after what was read. */
  #endLater(error) {
    if (this.#isOver || this.#stopped) return;
    this.#stopped = true;
    this.#last = { error };
  }

  /** The pool is closing: what was read is still processed. */
  poolCloses() {
    if (this.#source.isExhausted) return;
    this.#endLater(new PoolClosedError('the pool was closed before the source of the inputs had ended', { task: this.#task }));
    this.#source.close();
    this.#advance();
  }

  /** Ends it now, with an error for the next who asks, or has asked. */
  end(error) {
    if (this.#isOver) return;
    this.#release();
    this.#ready.clear();
    this.#ready.set(this.#next, { error });
    this.#give();
  }

  /** Gives what is there to those who ask; whether anything was given. */
  #give() {
    let given = false;
    for (const asking of this.#asking) {
      const entry = this.#ready.get(this.#next) ?? this.#lastEntry();
      if (entry === undefined) return given;
      this.#asking.delete(asking);
      if (!Object.hasOwn(entry, 'value')) {
        this.#finish();
        if (entry === END) asking.resolve(DONE());
        else asking.reject(this.#host.placed(entry.error));
        return false;
      }
      this.#ready.delete(this.#next++);
      asking.resolve({ done: false, value: entry.value });
      given = true;
    }
    return given;
  }

  /** What comes after all else; undefined while something else may come. */
  #lastEntry() {
    if (this.#ready.size > 0 || this.#underWay.size > 0 || this.#waiting.size > 0) return undefined;
    if (this.#last !== undefined) return this.#last;
    return this.#source.isExhausted && !this.#source.isAsked ? END : undefined;
  }

  /** Nothing comes any more. */
  #finish() {
    if (this.#isEnded) return undefined;
    this.#isEnded = true;
    const closing = this.#release();
    this.#ready.clear();
    for (const asking of this.#asking) asking.resolve(DONE());
    this.#asking.clear();
    return closing;
  }

  /** Lets go of everything: nothing is taken in any more. */
  #release() {
    if (this.#isOver) return undefined;
    this.#isOver = true;
    this.#leaveBehind(-1);
    this.#stop?.abort();
    this.#unwatch?.();
    this.#host.over(this);
    return this.#source.close();
  }
}

module.exports = { TaskStream };
