'use strict';

/**
 * `pool.forEach`: a task over many inputs of which only the number comes back. The inputs cross in chunks, so that a tiny one
 * costs no crossing of its own.
 *
 * The inputs of an array are divided at once, and all chunks are submitted (of a native task one, which the native side divides).
 * Of any other source a chunk is what has come: it goes as soon as fewer than `limit` chunks are under way, and meanwhile inputs
 * gather for the next. A chunk grows while chunks are quick, and becomes smaller when they take long.
 */

const { now } = require('../runtime/clock');
const { append, slice } = require('../runtime/intrinsics');
const { ManyInputs } = require('./many-inputs');

/** A chunk that was back after fewer milliseconds may be followed by one of twice the size; after more, by one of half. */
const QUICK = 2;
const SLOW = 20;
const LARGEST = 1024;

/** Chunks of an array for each thread: at the end a thread is idle for an eighth of the time at the most. */
const CHUNKS_PER_THREAD = 8;

class ForEach extends ManyInputs {
  /** Inputs that were read and not submitted, and the number of the first of them. */
  #gathered = [];
  #first = 0;
  #done = 0;
  /** How many inputs the next chunk may have, and how many chunks may be under way. */
  #size = 1;
  #limit;

  constructor(resolve, reject, task, options, host) {
    super(resolve, reject, task, options, host);
    this.#limit = host.isNative ? 2 : host.threads * 2;
  }

  takeAll(items) {
    const { isNative, threads } = this.host;
    const size = Math.max(1, isNative ? items.length : Math.ceil(items.length / (threads * CHUNKS_PER_THREAD)));
    for (let first = 0; first < items.length && !this.isSettled; first += size) {
      this.#submit(first, items.length > size ? slice.call(items, first, first + size) : items);
    }
  }

  take(input) {
    append(this.#gathered, input);
  }

  drop() {
    this.#gathered = [];
  }

  advance() {
    for (;;) {
      while (this.mayAsk && this.#gathered.length < this.#size) this.ask();
      const isFull = this.underWay >= this.#limit || this.waiting.size > 0;
      if (this.isSettled || this.#gathered.length === 0 || isFull) break;
      const inputs = this.#gathered;
      this.#gathered = [];
      this.#first += inputs.length;
      this.#submit(this.#first - inputs.length, inputs);
    }
    if (this.isSettled || this.underWay > 0 || this.waiting.size > 0) return;
    if (this.hasAll) this.finish(this.#done);
    else if (this.poolIsClosing) this.endsUnfinished();
  }

  #submit(first, inputs) {
    const began = now();
    const { length } = inputs;
    this.submit([first, inputs], first, length, () => {
      this.#done += length;
      const took = now() - began;
      if (took < QUICK && length >= this.#size) this.#size = Math.min(LARGEST, this.#size * 2);
      else if (took > SLOW && length <= this.#size) this.#size = Math.max(1, this.#size >> 1);
    });
  }
}

module.exports = { ForEach };
