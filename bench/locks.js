'use strict';

/** The cost of a lock, free and contended, beside the mutex that people write by hand on `Atomics`. */

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { loopPerSecond } = require('./harness/loop');
const { AtomicsMutex } = require('./rivals/atomics-mutex');

const SYNC = 3_000_000;
const PROMISES = 1_000_000;
const CONTENDER = path.join(__dirname, 'rivals', 'contender.js');
const BY_HAND = 'a mutex by hand on Atomics';

const sharedCell = () => new Int32Array(new SharedArrayBuffer(4));

const byHand = {
  [BY_HAND]: () => {
    const mutex = new AtomicsMutex(sharedCell());
    return (n) => { for (let i = 0; i < n; i++) { mutex.lock(); mutex.unlock(); } };
  },
};

/** A contest for each kind: in one process, what all kinds share would be compiled for all of them. */
const uncontended = ({ count = SYNC, loops, ...extra }) => ({
  unit: 'locks/s',
  better: 'more',
  ...extra,
  rivals: Object.entries(loops).map(([name, loopOf]) => ({
    name,
    open: () => {
      const loop = loopOf(require('..'));
      return { round: () => loopPerSecond(count, loop) };
    },
  })),
});

const kinds = [
  uncontended({
    title: 'uncontended lock and unlock, Mutex',
    loops: {
      'rust-workers, lockSync() and release()': ({ Mutex }) => {
        const mutex = new Mutex();
        return (n) => { for (let i = 0; i < n; i++) mutex.lockSync().release(); };
      },
      'rust-workers, tryLock() and unlock()': ({ Mutex }) => {
        const mutex = new Mutex();
        return (n) => { for (let i = 0; i < n; i++) { mutex.tryLock(); mutex.unlock(); } };
      },
      ...byHand,
    },
  }),
  uncontended({
    title: 'uncontended lock and unlock, RwLock, reading',
    loops: {
      'rust-workers, readSync() and release()': ({ RwLock }) => {
        const lock = new RwLock();
        return (n) => { for (let i = 0; i < n; i++) lock.readSync().release(); };
      },
      ...byHand,
    },
  }),
  uncontended({
    title: 'uncontended lock and unlock, RwLock, writing',
    loops: {
      'rust-workers, writeSync() and release()': ({ RwLock }) => {
        const lock = new RwLock();
        return (n) => { for (let i = 0; i < n; i++) lock.writeSync().release(); };
      },
      ...byHand,
    },
  }),
  uncontended({
    title: 'uncontended lock and unlock, Semaphore of one',
    loops: {
      'rust-workers, acquireSync() and release()': ({ Semaphore }) => {
        const semaphore = new Semaphore(1);
        return (n) => { for (let i = 0; i < n; i++) semaphore.acquireSync().release(); };
      },
      ...byHand,
    },
  }),
];

const promised = uncontended({
  title: 'uncontended lock and unlock, by promise',
  note: 'By hand there is no such form: its async function would block, and shows what an await costs.',
  count: PROMISES,
  loops: {
    'rust-workers, await lock() and release()': ({ Mutex }) => {
      const mutex = new Mutex();
      return async (n) => { for (let i = 0; i < n; i++) (await mutex.lock()).release(); };
    },
    [`${BY_HAND}, in an async function`]: () => {
      const blocking = new AtomicsMutex(sharedCell());
      const lock = async () => {
        blocking.lock();
        return blocking;
      };
      return async (n) => { for (let i = 0; i < n; i++) (await lock()).unlock(); };
    },
  },
});

/** Two Workers contending for one lock; `lock` is what rivals/contender.js calls it. */
function contenders(name, lock, inside, sections) {
  return {
    name,
    open: async () => {
      const { Barrier, Mutex } = require('..');
      const counter = sharedCell();
      const locks = { mutex: new Mutex(), cell: sharedCell() };
      const workerData = { lock, inside, counter, barrier: new Barrier(2), ...locks };
      const workers = [0, 1].map(() => new Worker(CONTENDER, { workerData }));
      await Promise.all(workers.map((worker) => once(worker, 'online')));
      const round = async () => {
        counter[0] = 0;
        const answers = workers.map((worker) => once(worker, 'message'));
        workers.forEach((worker) => worker.postMessage(sections));
        const times = (await Promise.all(answers)).flat();
        if (counter[0] !== 2 * inside * sections) throw new Error(`${name} does not exclude: ${counter[0]}`);
        return (2 * sections) / (Math.max(...times) / 1000);
      };
      return { round, stop: () => Promise.all(workers.map((worker) => worker.terminate())) };
    },
  };
}

/** Each thread makes `inside` additions under the lock and as many outside, `count` times. */
const contended = (inside, count) => ({
  title: `two threads, additions under the lock: ${inside.toLocaleString('en')}`,
  unit: 'sections/s',
  better: 'more',
  rounds: 15,
  note: 'And as many between one section and the next.',
  rivals: [
    contenders('rust-workers, Mutex', 'mutex', inside, count),
    contenders('rust-workers, Mutex, by unlock()', 'unlocked', inside, count),
    contenders(BY_HAND, 'atomics', inside, count),
  ],
});

const contests = [...kinds, promised, contended(1, 1_000_000), contended(100, 250_000), contended(10_000, 5_000)];

module.exports = { title: 'Locks', contests };
