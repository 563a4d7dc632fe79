'use strict';

/**
 * `pool.transform`: a Transform of Node's around a `TaskStream`, whose source are the chunks that are written.
 *
 * A chunk counts as written once the stream has asked for it, and outputs are asked for while the readable side has room. So either
 * side stops the other as in any Transform; `concurrency` chunks are under way beside those that wait in the two sides.
 */

const { Transform } = require('node:stream');

const { InvalidArgValueError } = require('../errors');
const { showState } = require('../inspection');
const { inputFailed } = require('./outcomes');
const { TaskStream } = require('./stream');

/** The chunks that were written, as the source of a stream. */
class Written {
  /** The chunk that waits to be asked for, and what tells that it was. */
  #chunk;
  #taken;
  /** The question that waits for a chunk. */
  #answer;
  #hasEnded = false;

  put(chunk, taken) {
    const answer = this.#answer;
    if (answer === undefined) {
      this.#chunk = chunk;
      this.#taken = taken;
    } else {
      this.#answer = undefined;
      answer({ done: false, value: chunk });
      taken();
    }
  }

  end() {
    this.#hasEnded = true;
    this.#answer?.({ done: true, value: undefined });
  }

  next() {
    return new Promise((resolve) => {
      const taken = this.#taken;
      if (taken === undefined) {
        if (this.#hasEnded) resolve({ done: true, value: undefined });
        else this.#answer = resolve;
        return;
      }
      const value = this.#chunk;
      this.#chunk = this.#taken = undefined;
      resolve({ done: false, value });
      taken();
    });
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

class TaskTransform extends Transform {
  static {
    showState(this, (it) => ({ task: it.#task, given: it.#count, writable: it.writable, readable: it.readable, destroyed: it.destroyed }));
  }

  #task;
  #written = new Written();
  #outputs;
  /** How many outputs there were. */
  #count = 0;
  #isAsking = false;
  /** Whether the readable side has no room. */
  #isFull = false;
  /** Told once the last output was pushed. */
  #flushed;
  #placed;

  /**
   * @param {string} task
   * @param {object} options as `streamOptions` returns them
   * @param {object} sides what Node's Transform is to be told
   * @param {object} host as `TaskStream` takes it
   */
  constructor(task, options, sides, host) {
    super(sides);
    this.#task = task;
    this.#placed = host.placed;
    this.#outputs = new TaskStream(task, this.#written, options, host);
  }

  _write(chunk, encoding, callback) {
    this.#written.put(chunk, callback);
    this.#ask();
  }

  _final(callback) {
    this.#flushed = callback;
    this.#written.end();
    this.#ask();
  }

  _read() {
    this.#isFull = false;
    this.#ask();
  }

  #ask() {
    if (this.#isAsking || this.#isFull || this.destroyed) return;
    this.#isAsking = true;
    this.#outputs.next().then(
      (result) => this.#give(result),
      (error) => this.destroy(error),
    );
  }

  #give({ done, value }) {
    if (this.destroyed) return;
    if (done) {
      // It goes on being asked, so that nothing more is.
      this.push(null);
      this.#flushed();
      return;
    }
    this.#isAsking = false;
    const index = this.#count++;
    if (value === null) {
      const cause = new InvalidArgValueError(
        `Task '${this.#task}' returned null, which would end the stream. Return undefined, or an object around it`,
      );
      this.destroy(this.#placed(inputFailed(cause, index, this.#task)));
    } else {
      this.#isFull = !this.push(value);
      this.#ask();
    }
  }

  _destroy(error, callback) {
    this.#outputs.return();
    callback(error);
  }
}

module.exports = { TaskTransform };
