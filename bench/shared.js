'use strict';

/** Shared memory: single operations beside V8's Atomics, wakes between threads, and the parallel sort. */

const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { loopPerSecond } = require('./harness/loop');

/** Operations of a round: of those that V8 compiles to an instruction or two, and of native calls. */
const INLINED = 20_000_000;
const CALLED = 1_000_000;
const ROUND_TRIPS = 5_000;

/** The data of the loops below, in memory of ours and in V8's own. */
function memory() {
  const { SharedBuffer, rustAtomics } = require('..');
  const shared = new SharedBuffer(64);
  return { shared, view: shared.as('int32'), rustAtomics, array: new Int32Array(new SharedArrayBuffer(64)) };
}

/** `loops`: by name, the operations of a round, and what makes the loop. */
const operation = (title, loops, note) => ({
  title,
  unit: 'operations/s',
  better: 'more',
  note,
  rivals: Object.entries(loops).map(([name, [count, loopOf]]) => ({
    name,
    open: () => {
      const loop = loopOf(memory());
      return { round: () => loopPerSecond(count, loop) };
    },
  })),
});

const adding = operation('add, uncontended', {
  'rust-workers, SharedBuffer': [INLINED, ({ shared }) => (n) => { for (let i = 0; i < n; i++) shared.add(3, 1); }],
  'rust-workers, AtomicView': [INLINED, ({ view }) => (n) => { for (let i = 0; i < n; i++) view.add(3, 1); }],
  'rust-workers, rustAtomics': [CALLED, ({ rustAtomics, array }) => (n) => {
    for (let i = 0; i < n; i++) rustAtomics.add(array, 3, 1);
  }],
  Atomics: [INLINED, ({ array }) => (n) => { for (let i = 0; i < n; i++) Atomics.add(array, 3, 1); }],
}, 'rustAtomics is a native call each time.');

// The loads are added up and returned: what nobody uses might not be loaded.
const loading = operation('load', {
  'rust-workers, SharedBuffer': [INLINED, ({ shared }) => (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += shared.load(3);
    return sum;
  }],
  Atomics: [INLINED, ({ array }) => (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Atomics.load(array, 3);
    return sum;
  }],
});

const storing = operation('store, uncontended', {
  'rust-workers, SharedBuffer': [INLINED, ({ shared }) => (n) => { for (let i = 0; i < n; i++) shared.store(3, i); }],
  Atomics: [INLINED, ({ array }) => (n) => { for (let i = 0; i < n; i++) Atomics.store(array, 3, i); }],
});

const exchanging = operation('compareExchange, uncontended', {
  'rust-workers, SharedBuffer': [INLINED, ({ shared }) => (n) => {
    shared.store(3, 0);
    for (let i = 0; i < n; i++) shared.compareExchange(3, i, i + 1);
  }],
  Atomics: [INLINED, ({ array }) => (n) => {
    Atomics.store(array, 3, 0);
    for (let i = 0; i < n; i++) Atomics.compareExchange(array, 3, i, i + 1);
  }],
}, 'Each finds what it expects.');

const notifying = operation('notify, nobody waits', {
  'rust-workers, SharedBuffer': [CALLED, ({ shared }) => (n) => { for (let i = 0; i < n; i++) shared.notify(3, 1); }],
  Atomics: [CALLED, ({ array }) => (n) => { for (let i = 0; i < n; i++) Atomics.notify(array, 3, 1); }],
});

/** One side of the game: microseconds for a wake of the other and the wake by it. Blocks this thread. */
function pingPong(cells) {
  const first = cells.load(0);
  let started;
  for (let i = 0; i < ROUND_TRIPS; i++) {
    // The first round trip pays for the other side's start.
    if (i === 1) started = performance.now();
    const asked = first + 2 * i + 1;
    cells.add(0, 1);
    cells.notify(0, 1);
    while (cells.load(0) === asked) cells.wait(0, asked);
  }
  return ((performance.now() - started) * 1000) / (ROUND_TRIPS - 1);
}

const withRust = {
  name: 'rust-workers, JavaScript with Rust',
  open: () => {
    const { SharedBuffer, WorkerPool } = require('..');
    const shared = new SharedBuffer(64);
    const pool = new WorkerPool({ maxThreads: 1 });
    const round = async () => {
      const other = pool.run('atomicPingPong', { buffer: shared, rounds: ROUND_TRIPS });
      const took = pingPong(shared);
      await other;
      return took;
    };
    return { round, stop: () => pool.close() };
  },
};

const withWorker = {
  name: 'Atomics.wait, JavaScript with a Worker',
  open: async () => {
    const array = new Int32Array(new SharedArrayBuffer(64));
    const cells = {
      add: (index, value) => Atomics.add(array, index, value),
      load: (index) => Atomics.load(array, index),
      notify: (index, count) => Atomics.notify(array, index, count),
      wait: (index, value) => Atomics.wait(array, index, value),
    };
    const worker = new Worker(path.join(__dirname, 'rivals', 'ping-pong.js'), { workerData: array });
    await once(worker, 'online');
    const round = async () => {
      worker.postMessage(ROUND_TRIPS);
      return pingPong(cells);
    };
    return { round, stop: () => worker.terminate() };
  },
};

const waking = (extra) => ({ unit: 'µs', better: 'less', rounds: 15, ...extra, rivals: [withRust, withWorker] });

const contests = [
  adding,
  loading,
  storing,
  exchanging,
  notifying,
  waking({ title: 'round trip of two wakes', note: 'Both cores free: the kernel wakes a core, or it does not.' }),
  waking({ title: 'round trip of two wakes, bound to one core', pinned: true }),
];

module.exports = { title: 'Shared memory', contests };
