'use strict';

/** What is shown of a lock: whether it is free, who holds it, and how many threads and promises wait for it. */

const { BARRIER, CONDVAR, LOCK_WAITS, MUTEX, RW_LOCK, SEMAPHORE } = require('../constants');
const { binding } = require('../native');
const { regionView } = require('../region-view');
const { ownerToken } = require('./owner');

const { NATIVE_THREAD, NO_THREAD } = LOCK_WAITS;
/** The number of parties that have come to a barrier. */
const ARRIVED = BARRIER.PARTIES - 1;

const cellsOf = ({ buffer, byteOffset }) => new Int32Array(buffer, byteOffset);
const waitersOf = ({ buffer, byteOffset }) => binding.lockWaiters(regionView(buffer), byteOffset);

/** The thread that has a token, in words; undefined for nobody. */
function holderOf(token) {
  if (token === 0) return undefined;
  if (token === ownerToken()) return 'this thread';
  const thread = binding.lockHolder(token);
  if (thread === NO_THREAD) return 'a thread that has ended';
  if (thread === NATIVE_THREAD) return 'a native thread';
  return thread === 0 ? 'the main thread' : `thread ${thread}`;
}

/** Shown only where it is so. */
const ifSo = (flag) => (flag ? true : undefined);

function mutex(lock) {
  const holder = holderOf(Atomics.load(cellsOf(lock), MUTEX.WORD) & MUTEX.OWNER);
  return { locked: holder !== undefined, holder, waiting: waitersOf(lock), poisoned: ifSo(lock.poisoned) };
}

function rwLock(lock) {
  const cells = cellsOf(lock);
  const word = Atomics.load(cells, RW_LOCK.WORD);
  const writer = holderOf(word & RW_LOCK.OWNER);
  const readers = [];
  for (let slot = 0; slot < lock.maxReaders; slot++) {
    const token = Atomics.load(cells, RW_LOCK.SLOTS + slot);
    if (token !== 0) readers.push(holderOf(token));
  }
  const isNext = (word & RW_LOCK.DRAINING) !== 0;
  return {
    writer: isNext ? undefined : writer,
    nextWriter: isNext ? writer : undefined,
    readers,
    maxReaders: lock.maxReaders,
    waiting: waitersOf(lock),
    poisoned: ifSo(lock.poisoned),
  };
}

const semaphore = (lock) => ({
  available: Atomics.load(cellsOf(lock), SEMAPHORE.COUNT),
  max: lock.max === SEMAPHORE.MAX_PERMITS ? undefined : lock.max,
  waiting: waitersOf(lock),
});

const condvar = (lock) => ({ waiting: Math.min(Atomics.load(cellsOf(lock), CONDVAR.WAITERS), waitersOf(lock)) });

const barrier = (lock) => ({ parties: lock.parties, arrived: Atomics.load(cellsOf(lock), ARRIVED), broken: ifSo(lock.broken) });

module.exports = { barrier, condvar, mutex, rwLock, semaphore };
