'use strict';

/** One of two Workers that contend for a lock. A message is a number of sections, the answer milliseconds. */

const { parentPort, workerData } = require('node:worker_threads');

const { Barrier, Mutex } = require('../..');
const { AtomicsMutex } = require('./atomics-mutex');

const SECTIONS = {
  atomics: ({ cell }) => {
    const mutex = new AtomicsMutex(cell);
    return (body) => {
      mutex.lock();
      body();
      mutex.unlock();
    };
  },
  mutex: ({ mutex }) => {
    const own = Mutex.from(mutex);
    return (body) => {
      const guard = own.lockSync();
      body();
      guard.release();
    };
  },
  unlocked: ({ mutex }) => {
    const own = Mutex.from(mutex);
    return (body) => {
      own.lockSync();
      body();
      own.unlock();
    };
  },
};

/** Not atomic on purpose: the count comes out right only where the lock excludes. */
function additions(cells, number) {
  for (let i = 0; i < number; i++) cells[0] = (cells[0] + 1) | 0;
}

const { lock, inside, counter, barrier } = workerData;
const underLock = SECTIONS[lock](workerData);
const gate = Barrier.from(barrier);
const body = () => additions(counter, inside);
const elsewhere = new Int32Array(1);
// Compiled before either thread counts.
for (let i = 0; i < 10_000; i++) additions(elsewhere, inside);

parentPort.on('message', (count) => {
  gate.waitSync();
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    underLock(body);
    additions(elsewhere, inside);
  }
  gate.waitSync();
  parentPort.postMessage(performance.now() - started);
});
