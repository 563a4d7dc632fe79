'use strict';

/** The cost of a lock, free and contended, beside the mutex that people write by hand on `Atomics`. */

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { loopPerSecond } = require('./harness/loop');
const { AtomicsMutex } = require('./rivals/atomics-mutex');

const SYNC = 3_000_000;
const PROMISES = 1_000_000;
const QUICK_SHARE = 10;
const CONTENDER = path.join(__dirname, 'rivals', 'contender.js');
const BY_HAND = 'a mutex by hand on Atomics';

const sharedCell = () => new Int32Array(new SharedArrayBuffer(4));

function byHand() {
  const mutex = new AtomicsMutex(sharedCell());
  return [BY_HAND, (n) => { for (let i = 0; i < n; i++) { mutex.lock(); mutex.unlock(); } }];
}

/** A contest for each kind: in one process, what all kinds share would be compiled for all of them. */
const uncontended = ({ count = SYNC, loops, ...extra }) => ({
  unit: 'locks/s',
  better: 'more',
  ...extra,
  entries: ({ quick }) =>
    loops(require('..')).map(([name, loop]) => ({
      name,
      round: () => loopPerSecond(quick ? count / QUICK_SHARE : count, loop),
    })),
});

const mutexes = uncontended({
  title: 'uncontended lock and unlock, Mutex',
  loops: ({ Mutex }) => {
    const mutex = new Mutex();
    return [
      ['rust-workers, lockSync() and release()', (n) => {
        for (let i = 0; i < n; i++) mutex.lockSync().release();
      }],
      ['rust-workers, tryLock() and unlock()', (n) => {
        for (let i = 0; i < n; i++) { mutex.tryLock(); mutex.unlock(); }
      }],
      byHand(),
    ];
  },
});

const rwLocks = uncontended({
  title: 'uncontended lock and unlock, RwLock',
  loops: ({ RwLock }) => {
    const lock = new RwLock();
    return [
      ['rust-workers, readSync() and release()', (n) => {
        for (let i = 0; i < n; i++) lock.readSync().release();
      }],
      ['rust-workers, writeSync() and release()', (n) => {
        for (let i = 0; i < n; i++) lock.writeSync().release();
      }],
      byHand(),
    ];
  },
});

const semaphores = uncontended({
  title: 'uncontended lock and unlock, Semaphore of one',
  loops: ({ Semaphore }) => {
    const semaphore = new Semaphore(1);
    return [
      ['rust-workers, acquireSync() and release()', (n) => {
        for (let i = 0; i < n; i++) semaphore.acquireSync().release();
      }],
      byHand(),
    ];
  },
});

const promised = uncontended({
  title: 'uncontended lock and unlock, by promise',
  note: 'By hand there is no such form: its async function would block, and shows what an await costs.',
  count: PROMISES,
  loops: ({ Mutex }) => {
    const mutex = new Mutex();
    const blocking = new AtomicsMutex(sharedCell());
    const lock = async () => {
      blocking.lock();
      return blocking;
    };
    return [
      ['rust-workers, await lock() and release()', async (n) => {
        for (let i = 0; i < n; i++) (await mutex.lock()).release();
      }],
      [`${BY_HAND}, in an async function`, async (n) => {
        for (let i = 0; i < n; i++) (await lock()).unlock();
      }],
    ];
  },
});

/** Two Workers contending for one lock; `lock` is what rivals/contender.js calls it. */
function contenders(name, lock, inside, count) {
  const { Barrier, Mutex } = require('..');
  const counter = sharedCell();
  const locks = { mutex: new Mutex(), cell: sharedCell() };
  const workerData = { lock, inside, counter, barrier: new Barrier(2), ...locks };
  let workers;
  return {
    name,
    start: async () => {
      workers = [0, 1].map(() => new Worker(CONTENDER, { workerData }));
      await Promise.all(workers.map((worker) => once(worker, 'online')));
    },
    round: async () => {
      counter[0] = 0;
      const answers = workers.map((worker) => once(worker, 'message'));
      workers.forEach((worker) => worker.postMessage(count));
      const times = (await Promise.all(answers)).flat();
      if (counter[0] !== 2 * inside * count) throw new Error(`${name} does not exclude: ${counter[0]}`);
      return (2 * count) / (Math.max(...times) / 1000);
    },
    stop: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

/** Each thread makes `inside` additions under the lock and as many outside, `count` times. */
const contended = (inside, count) => ({
  title: `two threads, additions under the lock: ${inside.toLocaleString('en')}`,
  unit: 'sections/s',
  better: 'more',
  note: 'And as many between one section and the next.',
  entries: ({ quick }) => {
    const sections = quick ? count / QUICK_SHARE : count;
    return [
      contenders('rust-workers, Mutex', 'mutex', inside, sections),
      contenders(BY_HAND, 'atomics', inside, sections),
    ];
  },
});

const contests = [
  mutexes,
  rwLocks,
  semaphores,
  promised,
  contended(1, 2_000_000),
  contended(100, 500_000),
  contended(10_000, 10_000),
];

module.exports = { title: 'Locks', contests };
