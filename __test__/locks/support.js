'use strict';

/** What the cells of a lock tell (src/shared/locks/README.md), and the errors of its calls. */

const { Mutex } = require('../..');

const WORD = 1;
const CONTENDED = 1 << 29;
const DRAINING = 1 << 27;

/** The cells of a lock. */
const cellsOf = (lock) => new Int32Array(lock.buffer, lock.byteOffset);

/** True when a thread or a promise is queued at a Mutex or RwLock. */
const isContended = (lock) => (Atomics.load(cellsOf(lock), WORD) & CONTENDED) !== 0;

/** True while a writer waits for the readers of a RwLock to leave. */
const isDraining = (lock) => (Atomics.load(cellsOf(lock), WORD) & DRAINING) !== 0;

/** How many wait at a Semaphore or a Condvar, and how many have come to a Barrier. */
const waitersOf = (semaphore) => Atomics.load(cellsOf(semaphore), 2);
const arrivedAt = (barrier) => Atomics.load(cellsOf(barrier), 1);

/** Returns when all that was granted to promises of this thread before has been delivered: a grant made later has come. */
async function untilGrantsAreDelivered() {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  const later = mutex.lock();
  guard.release();
  (await later).release();
}

/** The `code` of what a call throws or a promise rejects with. */
async function codeOf(call) {
  try {
    await call();
  } catch (error) {
    return error.code;
  }
  return 'no error';
}

module.exports = { arrivedAt, cellsOf, codeOf, isContended, isDraining, untilGrantsAreDelivered, waitersOf };
