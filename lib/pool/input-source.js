'use strict';

/** The source of a map's inputs: asked for one at a time, and closed as `for await` would when the map ends early. */

class InputSource {
  /** The inputs as they were at the call, where the source is an array. */
  items;
  isAsync;
  /** Whether an answer of it is awaited. */
  isAsked = false;
  /** Whether it has ended, by itself or by throwing: then it is not closed. */
  isExhausted = false;

  #iterator;
  #next;

  /**
   * @param {Iterable<unknown> | AsyncIterable<unknown>} source
   * @throws what the source throws
   */
  open(source) {
    const openAsync = source[Symbol.asyncIterator];
    this.isAsync = openAsync !== undefined && openAsync !== null;
    if (!this.isAsync && Array.isArray(source)) this.items = [...source];
    const iterator = this.isAsync ? Reflect.apply(openAsync, source, []) : (this.items ?? source)[Symbol.iterator]();
    if (typeof iterator !== 'object' || iterator === null) {
      throw new TypeError('The "inputs" argument gave an iterator that is no object');
    }
    this.#iterator = iterator;
    this.#next = iterator.next;
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
   * Closes it, unless it has ended by itself. An error that it throws then is ignored, since the map has ended for another
   * reason.
   */
  close() {
    const iterator = this.#iterator;
    if (this.isExhausted || iterator === undefined) return;
    this.isExhausted = true;
    const passOver = () => {};
    try {
      const close = iterator.return;
      if (close === undefined || close === null) return;
      const closing = Reflect.apply(close, iterator, []);
      if (this.isAsync) new Promise((resolve) => resolve(closing)).catch(passOver);
    } catch {
      // As said above.
    }
  }
}

module.exports = { InputSource };
