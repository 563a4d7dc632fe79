'use strict';

/**
 * All methods of `Atomics`, implemented in Rust: the same signatures, coercions, results and thrown errors, on
 * shared and on plain typed arrays. `wait`, `waitAsync` and `notify` use Rust's wait table; `notify` wakes threads
 * that wait by `Atomics.wait` as well.
 */

const { binding } = require('../native');
const { waitAsync } = require('./async-waits');
const { giveHelpers } = require('./helpers');

giveHelpers();

/**
 * Methods, as those of `Atomics` are: with a name and a length, and no constructors as native functions would be. Each is
 * written out, since a function with rest arguments has another length and is slower.
 */
const methods = {
  load(typedArray, index) {
    return binding.atomicsLoad(typedArray, index);
  },
  store(typedArray, index, value) {
    return binding.atomicsStore(typedArray, index, value);
  },
  add(typedArray, index, value) {
    return binding.atomicsAdd(typedArray, index, value);
  },
  sub(typedArray, index, value) {
    return binding.atomicsSub(typedArray, index, value);
  },
  and(typedArray, index, value) {
    return binding.atomicsAnd(typedArray, index, value);
  },
  or(typedArray, index, value) {
    return binding.atomicsOr(typedArray, index, value);
  },
  xor(typedArray, index, value) {
    return binding.atomicsXor(typedArray, index, value);
  },
  exchange(typedArray, index, value) {
    return binding.atomicsExchange(typedArray, index, value);
  },
  compareExchange(typedArray, index, expectedValue, replacementValue) {
    return binding.atomicsCompareExchange(typedArray, index, expectedValue, replacementValue);
  },
  isLockFree(size) {
    return binding.atomicsIsLockFree(size);
  },
  wait(typedArray, index, value, timeout) {
    return binding.atomicsWait(typedArray, index, value, timeout);
  },
  waitAsync(typedArray, index, value, timeout) {
    return waitAsync(typedArray, index, value, timeout);
  },
  notify(typedArray, index, count) {
    return binding.atomicsNotify(typedArray, index, count);
  },
  /** A hint, and a check of its argument. */
  pause(iterationNumber = undefined) {
    if (iterationNumber !== undefined && !Number.isInteger(iterationNumber)) {
      throw new TypeError('Atomics.pause argument must be undefined or an integer');
    }
    // To wait for less than a microsecond in Rust would cost several times as long to call.
  },
};

const rustAtomics = {};
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(rustAtomics, name, { value, writable: true, configurable: true });
}
Object.defineProperty(rustAtomics, Symbol.toStringTag, { value: 'Atomics', configurable: true });

module.exports = { rustAtomics };
