'use strict';

/**
 * `pool.reduce`: a function of a script over an accumulator and each of many values. All values cross at once, and one worker reduces them.
 * With `associative`, neighbouring values are reduced in parts by several workers, and one of these then combines the results in their
 * order, with the initial value first.
 */

const { InvalidArgValueError } = require('../errors');
const { append, arrayOf, slice } = require('../runtime/intrinsics');
const { ManyInputs } = require('./many-inputs');
const { inputFailed } = require('./outcomes');

/** Fewer values make no part of their own. */
const LEAST = 2;

/** The number of the first value of a part. */
const firstOf = (part, parts, count) => Math.floor((part * count) / parts);

class Reduction extends ManyInputs {
  #values = [];
  #initial;
  #parts;
  /** The results of the parts, while they come; undefined before. */
  #results;
  #hasBegun = false;
  #isCombining = false;

  /**
   * @param {unknown} initial undefined for none
   * @param {number} parts in how many parts it may be done
   */
  constructor(resolve, reject, task, options, host, initial, parts) {
    super(resolve, reject, task, options, host);
    this.#initial = initial === undefined ? [] : [initial];
    this.#parts = parts;
  }

  takeAll(items) {
    this.#values = items;
  }

  take(value) {
    append(this.#values, value);
  }

  drop() {
    this.#values = this.#results = undefined;
  }

  advance() {
    while (this.mayAsk) this.ask();
    if (this.isSettled || this.#hasBegun) return;
    if (this.hasAll) this.#begin();
    else if (this.poolIsClosing) this.endsUnfinished();
  }

  #begin() {
    this.#hasBegun = true;
    const values = this.#values;
    const count = values.length;
    if (count === 0) {
      const [initial] = this.#initial;
      if (initial !== undefined) return this.finish(initial);
      return this.end(new InvalidArgValueError("There is nothing to reduce: \"inputs\" is empty. Pass an initial value"));
    }
    const parts = Math.min(this.#parts, Math.floor(count / LEAST));
    if (parts <= 1) return this.submit([0, values, ...this.#initial], 0, count, (result) => this.finish(result));
    const results = (this.#results = arrayOf(parts));
    let left = parts;
    for (let part = 0; part < parts && !this.isSettled; part++) {
      const first = firstOf(part, parts, count);
      const end = firstOf(part + 1, parts, count);
      this.submit([first, slice.call(values, first, end)], first, end - first, (result) => {
        results[part] = result;
        if (--left === 0) this.#combine();
      });
    }
  }

  /** A failure while the parts are combined is that of a part. */
  named(error) {
    if (!this.#isCombining) return error;
    const first = firstOf(error.index, this.#results.length, this.#values.length);
    const end = firstOf(error.index + 1, this.#results.length, this.#values.length);
    return inputFailed(error.cause, first, this.task, end - 1);
  }

  #combine() {
    const count = this.#values.length;
    this.#isCombining = true;
    this.submit([0, this.#results, ...this.#initial], 0, count, (result) => this.finish(result));
  }
}

module.exports = { Reduction };
