'use strict';

/**
 * The whole face of `Atomics`, implemented in Rust: the same signatures, coercions, results and thrown errors, on
 * shared and on plain typed arrays. `wait`, `waitAsync` and `notify` use Rust's wait table; `notify` reaches those
 * who wait by `Atomics.wait` as well.
 */

const { binding } = require('../native');
const { asyncWaits } = require('./async-waits');
const { toBigInt } = require('./to-big-int');

/** Nobody waits by `Atomics.wait` where V8 was told to do without `Atomics`. */
const notify = globalThis.Atomics?.notify ?? (() => 0);

const OPENED = Symbol.for('rust-workers.atomics');
if (binding[OPENED] === undefined) {
  binding.openAtomics(toBigInt, () => {}, notify);
  Object.defineProperty(binding, OPENED, { value: true });
}

const rustAtomics = {
  add: binding.atomicsAdd,
  and: binding.atomicsAnd,
  compareExchange: binding.atomicsCompareExchange,
  exchange: binding.atomicsExchange,
  isLockFree: binding.atomicsIsLockFree,
  load: binding.atomicsLoad,
  notify: binding.atomicsNotify,
  or: binding.atomicsOr,
  store: binding.atomicsStore,
  sub: binding.atomicsSub,
  wait: binding.atomicsWait,
  waitAsync: (typedArray, index, value, timeout) => asyncWaits.begin(typedArray, index, value, timeout),
  xor: binding.atomicsXor,
};
Object.defineProperty(rustAtomics, Symbol.toStringTag, { value: 'Atomics', configurable: true });

module.exports = { rustAtomics: Object.freeze(rustAtomics) };
