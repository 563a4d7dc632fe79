'use strict';

/**
 * The source of many inputs: asked for one at a time, and closed when what reads it ends early.
 *
 * Iterables and async iterables are closed as `for await` would, by `return()`. Of a generator that is asked, and of the async
 * iterators of Node's and the web's streams, a `return()` waits until that question is answered, so a quiet stream would stay open.
 * So a stream is closed by its own means: a Readable of Node's is destroyed, and a ReadableStream is cancelled.
 */

const passOver = () => {};

/** Whether an object is a stream of Node's: known by its methods, since there are several copies of that class. */
const isNodeStream = (source) =>
  typeof source.pipe === 'function' && typeof source.on === 'function' && typeof source.destroy === 'function';

/** Whether an object is a ReadableStream, of any realm. */
const isWebStream = (source) => typeof source.getReader === 'function' && typeof source.cancel === 'function';

/** The reader of a ReadableStream, as an iterator. */
class WebStreamIterator {
  #reader;

  constructor(stream) {
    this.#reader = stream.getReader();
  }

  async next() {
    const { done, value } = await this.#reader.read();
    if (done) this.#reader.releaseLock();
    return { done, value };
  }

  return() {
    const closing = this.#reader.cancel();
    this.#reader.releaseLock();
    return closing;
  }
}

class InputSource {
  /** The inputs as they were at the call, where the source is an array and `keepsItems`. */
  items;
  isAsync;
  /** Whether an answer of it is awaited. */
  isAsked = false;
  /** Whether it has ended, by itself or by throwing: then it is not closed. */
  isExhausted = false;

  #source;
  #iterator;
  #next;

  /** @param {Iterable<unknown> | AsyncIterable<unknown>} source */
  constructor(source) {
    this.#source = source;
  }

  /**
   * @param {boolean} keepsItems whether an array counts as it is now
   * @throws what the source throws
   */
  open(keepsItems) {
    const source = this.#source;
    const iterator = this.#open(source, keepsItems);
    if (typeof iterator !== 'object' || iterator === null) {
      throw new TypeError('The "inputs" argument gave an iterator that is no object');
    }
    this.#iterator = iterator;
    this.#next = iterator.next;
  }

  #open(source, keepsItems) {
    if (isWebStream(source)) {
      this.isAsync = true;
      return new WebStreamIterator(source);
    }
    const openAsync = source[Symbol.asyncIterator];
    this.isAsync = openAsync !== undefined && openAsync !== null;
    if (this.isAsync) return Reflect.apply(openAsync, source, []);
    if (keepsItems && Array.isArray(source)) this.items = [...source];
    return (this.items ?? source)[Symbol.iterator]();
  }

  /**
   * Asks for the next input.
   *
   * @param {(result: unknown) => void} take gets what `read` takes: now, or later from an async source
   * @param {(error: unknown) => void} failed
   */
  ask(take, failed) {
    this.isAsked = true;
    let result;
    try {
      result = Reflect.apply(this.#next, this.#iterator, []);
    } catch (error) {
      return failed(error);
    }
    if (!this.isAsync) return take(result);
    // By an executor: reading a `then` may throw.
    new Promise((resolve) => resolve(result)).then(take, failed);
  }

  /**
   * Reads an iterator's result.
   *
   * @throws what its getters throw
   */
  read(result) {
    if (typeof result !== 'object' || result === null) {
      throw new TypeError(`The source of the inputs gave ${String(result)} where an iterator result should be`);
    }
    const done = Boolean(result.done);
    return { done, input: done ? undefined : result.value };
  }

  /**
   * Closes it, unless it has ended by itself. An error that it throws then is ignored, since what has read it ended for another
   * reason. Of what was not opened only a stream is closed: it holds a file, or a socket.
   *
   * @returns {Promise<void>} settles once the source has: never, where that does not answer
   */
  close() {
    if (this.isExhausted) return Promise.resolve();
    return new Promise((resolve) => {
      try {
        resolve(this.#close());
      } catch {
        // As said above.
        resolve();
      }
    }).then(passOver, passOver);
  }

  #close() {
    const source = this.#source;
    const iterator = this.#iterator;
    // Its [Symbol.iterator]() may be under way: then this is called again.
    this.isExhausted = iterator !== undefined;
    if (isNodeStream(source)) source.destroy();
    else if (iterator === undefined && isWebStream(source)) return source.cancel();
    if (iterator === undefined) return undefined;
    const close = iterator.return;
    return close === undefined || close === null ? undefined : Reflect.apply(close, iterator, []);
  }
}

module.exports = { InputSource };
