'use strict';

/** Pools of JavaScript workers side by side: the same function in each, so that the pools themselves are measured. */

const { setTimeout: after } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { latency, millis, perSecond, perSecondFor } = require('./harness/contest');
const { file, scriptPools } = require('./rivals/scripts');

const THREADS = 2;
const WINDOW = 5_000;
/** Rounds until the engine has compiled what each pool runs; a service reaches that in its first second. */
const WARMUPS = 2;
const MIB = 1024 * 1024;

const small = () => ({ a: 1, b: 'some name', c: [1, 2, 3] });

/** One entry for each pool that can do it. */
async function entries(able, round) {
  const pools = await scriptPools(THREADS);
  return pools.filter(able).map((pool) => ({ name: pool.name, round: () => round(pool), stop: pool.close }));
}

/** From nothing until `count` workers have answered. */
async function oursReady(count) {
  const { WorkerPool } = require('..');
  let pool;
  const time = await millis(async () => {
    pool = new WorkerPool(file('ready.js'), count);
    await Promise.all(Array.from({ length: count }, () => pool.runTask(1)));
    while (pool.stats().idleWorkers < count) await after(1);
  });
  await pool.destroy();
  return time;
}

async function bareReady(count) {
  let workers;
  const time = await millis(async () => {
    workers = Array.from({ length: count }, () => new Worker(file('ready.js')));
    await Promise.all(
      workers.map((worker) => {
        worker.postMessage(1);
        return new Promise((resolve) => worker.once('message', resolve));
      }),
    );
  });
  await Promise.all(workers.map((worker) => worker.terminate()));
  return time;
}

async function piscinaReady(count) {
  const { Piscina } = require('piscina');
  let pool;
  const time = await millis(async () => {
    pool = new Piscina({ filename: file('functions.js'), minThreads: count, maxThreads: count });
    const ready = new Promise((resolve) => {
      if (pool.threads.length === count) resolve();
    });
    await Promise.all([ready, ...Array.from({ length: count }, () => pool.run(small()))]);
  });
  await pool.destroy();
  return time;
}

const contests = [
  {
    title: 'tasks with a small object in and out, 5,000 in flight, 2 workers',
    unit: 'tasks/s',
    better: 'more',
    warmups: WARMUPS,
    entries: ({ quick }) =>
      entries(
        () => true,
        (pool) => perSecondFor(quick ? 200 : 600, WINDOW, () => pool.small(small())),
      ),
  },
  {
    title: 'latency of one such task after the other, bound to one core',
    unit: 'µs',
    better: 'less',
    warmups: WARMUPS,
    pinned: true,
    entries: () =>
      entries(
        () => true,
        (pool) => latency(2_000, () => pool.small(small())),
      ),
  },
  {
    title: 'latency of one such task after the other',
    unit: 'µs',
    better: 'less',
    entries: () =>
      entries(
        () => true,
        (pool) => latency(2_000, () => pool.small(small())),
      ),
  },
  {
    title: 'buffers of 1 MiB in and out, copied, 16 in flight',
    unit: 'tasks/s',
    better: 'more',
    entries: () => {
      const buffer = new Uint8Array(MIB).fill(7);
      return entries(
        (pool) => pool.copied,
        (pool) => perSecond(200, 16, () => pool.copied(buffer)),
      );
    },
  },
  {
    title: 'buffers of 1 MiB in and out, moved, 16 in flight',
    unit: 'tasks/s',
    better: 'more',
    entries: () =>
      entries(
        (pool) => pool.moved,
        (pool) => perSecond(400, 16, () => pool.moved(new Uint8Array(MIB))),
      ),
  },
  {
    title: 'from nothing until 4 workers have answered',
    unit: 'ms',
    better: 'less',
    entries: () => [
      { name: 'rust-workers', round: () => oursReady(4) },
      { name: 'bare Workers', round: () => bareReady(4) },
      { name: 'piscina', round: () => piscinaReady(4) },
    ],
  },
];

module.exports = { title: 'Pools of JavaScript workers', contests };
