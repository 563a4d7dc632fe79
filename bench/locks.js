'use strict';

/**
 * What a lock costs: uncontended, and between two threads, beside a mutex written by hand on `Atomics` (the classic one
 * of three states: free, locked, locked with waiters).
 *
 *     node bench/locks.js
 */

const path = require('node:path');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { Barrier, Mutex, RwLock, Semaphore } = require(path.join(__dirname, '..'));

/** The mutex that people write: no owner, no time limit, no asynchronous form; a dead owner is a hang. */
class AtomicsMutex {
  #cell;

  constructor(cell) {
    this.#cell = cell;
  }

  lock() {
    const cell = this.#cell;
    if (Atomics.compareExchange(cell, 0, 0, 1) === 0) return;
    while (Atomics.exchange(cell, 0, 2) !== 0) Atomics.wait(cell, 0, 2);
  }

  unlock() {
    if (Atomics.exchange(this.#cell, 0, 0) === 2) Atomics.notify(this.#cell, 0, 1);
  }
}

/** Median nanoseconds of one call in seven rounds. */
function nanoseconds(count, body) {
  const rounds = [];
  for (let round = 0; round < 8; round++) {
    const began = process.hrtime.bigint();
    body(count);
    const took = Number(process.hrtime.bigint() - began) / count;
    // The first warms up.
    if (round > 0) rounds.push(took);
  }
  return rounds.sort((a, b) => a - b)[3];
}

function uncontended() {
  const count = 1_000_000;
  const mutex = new Mutex();
  const lock = new RwLock();
  const semaphore = new Semaphore(1);
  const byHand = new AtomicsMutex(new Int32Array(new SharedArrayBuffer(4)));
  const cases = {
    'by hand: lock(), unlock()': (n) => { for (let i = 0; i < n; i++) { byHand.lock(); byHand.unlock(); } },
    'Mutex: lockSync(), release()': (n) => { for (let i = 0; i < n; i++) mutex.lockSync().release(); },
    'Mutex: tryLock(), unlock()': (n) => { for (let i = 0; i < n; i++) { mutex.tryLock(); mutex.unlock(); } },
    'RwLock: readSync(), release()': (n) => { for (let i = 0; i < n; i++) lock.readSync().release(); },
    'RwLock: writeSync(), release()': (n) => { for (let i = 0; i < n; i++) lock.writeSync().release(); },
    'Semaphore: acquireSync(), release()': (n) => { for (let i = 0; i < n; i++) semaphore.acquireSync().release(); },
  };
  for (const [name, body] of Object.entries(cases)) print(name, nanoseconds(count, body));
}

async function uncontendedPromises() {
  const mutex = new Mutex();
  const rounds = [];
  for (let round = 0; round < 8; round++) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < 200_000; i++) (await mutex.lock()).release();
    rounds.push(Number(process.hrtime.bigint() - began) / 200_000);
  }
  print('Mutex: await lock(), release()', rounds.slice(1).sort((a, b) => a - b)[3]);
}

const print = (name, nanos) => console.log(`${name.padEnd(48)} ${nanos.toFixed(1).padStart(8)} ns`);

/** What each of two threads does between lock and unlock, and outside: some additions. */
function work(cells, units) {
  for (let i = 0; i < units; i++) cells[0] = (cells[0] + 1) | 0;
}

const LOCKS = {
  'by hand': ({ cell }) => {
    const mutex = new AtomicsMutex(cell);
    return (body) => {
      mutex.lock();
      body();
      mutex.unlock();
    };
  },
  Mutex: ({ mutex }) => {
    const own = Mutex.from(mutex);
    return (body) => {
      const guard = own.lockSync();
      body();
      guard.release();
    };
  },
};

/** Both threads, each `count` times: million sections a second, both together. */
function contend({ name, units, count, barrier, counter, ...memory }) {
  const under = LOCKS[name](memory);
  const body = () => work(counter, units);
  const gate = Barrier.from(barrier);
  const elsewhere = new Int32Array(1);
  for (let i = 0; i < 10_000; i++) work(elsewhere, units);
  gate.waitSync();
  const began = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    under(body);
    work(elsewhere, units);
  }
  gate.waitSync();
  return Number(process.hrtime.bigint() - began) / 1e3;
}

async function contended() {
  for (const units of [1, 100, 10_000]) {
    for (const name of Object.keys(LOCKS)) {
      const count = units === 10_000 ? 10_000 : 300_000;
      const rounds = [];
      for (let round = 0; round < 3; round++) {
        const counter = new Int32Array(new SharedArrayBuffer(4));
        const data = {
          name, units, count, counter,
          barrier: new Barrier(2),
          mutex: new Mutex(),
          cell: new Int32Array(new SharedArrayBuffer(4)),
        };
        const workers = [0, 1].map(() => new Worker(__filename, { workerData: data }));
        const times = await Promise.all(workers.map((worker) => new Promise((heard) => worker.once('message', heard))));
        if (counter[0] !== 2 * units * count) throw new Error(`${name} does not exclude: ${counter[0]}`);
        rounds.push((2 * count) / Math.max(...times));
      }
      rounds.sort((a, b) => a - b);
      const label = `two threads, ${units} additions inside: ${name}`;
      console.log(`${label.padEnd(48)} ${rounds[1].toFixed(3).padStart(8)} million sections/s`);
    }
  }
}

async function main() {
  uncontended();
  await uncontendedPromises();
  await contended();
}

if (isMainThread) main();
else parentPort.postMessage(contend(workerData));
