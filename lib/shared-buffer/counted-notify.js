'use strict';

/**
 * `notify` that asks the native side only where somebody may wait.
 *
 * The native side counts its waiters in 64 counters, by the offset of the cell, in memory that every thread's JavaScript sees.
 * Where the counter is 0, only threads that wait by `Atomics.wait` are left, and V8 wakes those: 55 ns instead of 245.
 *
 * A counter is read by adding 0. The addition is ordered with the waiter's, which comes before the waiter looks at the cell; so
 * a waiter that is not counted yet sees what this thread has stored before (src/shared/wait/README.md has the race and its
 * model). A load would not do: it could overtake a store that is not atomic.
 *
 * Relies on: external ArrayBuffers over one memory in several threads, which Node-API documents. Where the runtime refuses
 * them (Electron), or has no `Atomics`, each call is native.
 * Test: __test__/shared-buffer/counted-notify.test.js.
 */

const { giveHelpers } = require('./helpers');
const { rustAtomics } = require('./rust-atomics');

const { counters } = giveHelpers();
const { add, notify: wakeOthers } = globalThis.Atomics ?? {};
const native = rustAtomics.notify;

/**
 * @param {Int32Array | BigInt64Array} array
 * @param {number} first the number of 4-byte cells before the array
 * @param {number} width 4-byte cells in an element
 */
function countedNotify(array, first, width, index, count) {
  const isCounted = counters !== undefined && wakeOthers !== undefined
    && typeof index === 'number' && (index | 0) === index && (count === undefined || typeof count === 'number');
  if (isCounted && add(counters, (first + index * width) & (counters.length - 1), 0) === 0) {
    return wakeOthers(array, index, count);
  }
  return native(array, index, count);
}

module.exports = { countedNotify };
