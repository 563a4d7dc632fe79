'use strict';

const { SafeMap, arrayOf } = require('../runtime/intrinsics');

/** The outputs of a map, as they come; by the numbers of their inputs, from 0. */
class MapOutputs {
  count = 0;
  /** An array that has all of its elements, where it is known how many there are; an assignment beyond its end may run an accessor. */
  #array;
  #byNumber;

  /** @param {number} [length] undefined where it is not known yet */
  constructor(length) {
    if (length === undefined) this.#byNumber = new SafeMap();
    else this.#array = arrayOf(length);
  }

  put(number, output) {
    this.count++;
    if (this.#array === undefined) this.#byNumber.set(number, output);
    else this.#array[number] = output;
  }

  /** All of them, once all have come. */
  list() {
    if (this.#array !== undefined) return this.#array;
    const outputs = this.#byNumber;
    return Array.from({ length: this.count }, (_, number) => outputs.get(number));
  }
}

module.exports = { MapOutputs };
