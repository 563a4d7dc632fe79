'use strict';

/** The native pool beside the JavaScript pools, plain worker_threads, and what JavaScript alone could do. */

const { latency, millis } = require('./harness/contest');
const { allPools, rawWorkers, rustWorkers } = require('./rivals');

const THREADS = 2;

/** Throughput with `count` tasks submitted at once. */
async function burst(count, run) {
  const promises = new Array(count);
  const started = performance.now();
  for (let i = 0; i < count; i++) promises[i] = run();
  await Promise.all(promises);
  return count / ((performance.now() - started) / 1000);
}

/** The least that every pool must do: the promises, each settled from a table of functions, and nothing else. */
async function promisesAlone(count) {
  const promises = new Array(count);
  const settlers = new Array(count);
  let at = 0;
  const executor = (resolve) => {
    settlers[at] = resolve;
  };
  const started = performance.now();
  for (at = 0; at < count; at++) promises[at] = new Promise(executor);
  const all = Promise.all(promises);
  setImmediate(() => settlers.forEach((settle) => settle(undefined)));
  await all;
  return count / ((performance.now() - started) / 1000);
}

const byBurst = (count) => ({ name, run }) => ({ name, round: () => burst(count, run) });

const latencyOf = (extra) => ({
  unit: 'µs',
  better: 'less',
  rounds: 15,
  ...extra,
  entries: async () => (await allPools(THREADS)).map(({ name, run }) => ({ name, round: () => latency(200, run) })),
});

/** One of our tasks beside the same work in a Worker. */
const besideWorker = (title, task, input) => ({
  title,
  unit: 'ms',
  better: 'less',
  rounds: 5,
  entries: async () => {
    const { pool } = rustWorkers(1);
    const raw = rawWorkers(1);
    return [
      { name: 'rust-workers', round: () => millis(() => pool.run(task, input)) },
      { name: 'the same in JavaScript in a Worker', round: () => millis(() => raw.run(task, input)) },
    ];
  },
});

const contests = [
  {
    title: 'no-op tasks, 20,000 in flight',
    unit: 'tasks/s',
    better: 'more',
    note: 'Two threads each.',
    entries: async () => [
      ...(await allPools(THREADS)).map(byBurst(20_000)),
      { name: 'promises alone, no threads', round: () => promisesAlone(20_000) },
    ],
  },
  {
    title: 'no-op tasks, 200,000 in flight',
    unit: 'tasks/s',
    better: 'more',
    rounds: 5,
    note: 'The other pools take too long for so many.',
    entries: async () => [
      byBurst(200_000)(rustWorkers(THREADS)),
      byBurst(200_000)(rawWorkers(THREADS)),
      { name: 'promises alone, no threads', round: () => promisesAlone(200_000) },
    ],
  },
  {
    title: 'map of a no-op over 100,000 numbers',
    unit: 'tasks/s',
    better: 'more',
    note: 'One promise for all; the others have a promise for each.',
    entries: async () => {
      const { pool } = rustWorkers(THREADS);
      const inputs = Array.from({ length: 100_000 }, (_, i) => i);
      const mapped = async () => {
        const took = await millis(() => pool.map('noop', inputs));
        return inputs.length / (took / 1000);
      };
      return [
        { name: 'rust-workers, map', round: mapped },
        { name: 'rust-workers, run', round: () => burst(100_000, () => pool.run('noop')) },
        byBurst(100_000)(rawWorkers(THREADS)),
      ];
    },
  },
  latencyOf({ title: 'latency of one no-op task after the other', note: 'Both cores free: bimodal.' }),
  latencyOf({ title: 'latency of one no-op task after the other, bound to one core', pinned: true }),
  {
    title: 'start of 64 threads, each having answered',
    unit: 'ms',
    better: 'less',
    rounds: 3,
    entries: async () => {
      const { WorkerPool } = require('..');
      return [
        { name: 'rust-workers', round: () => startOurs(WorkerPool, 64) },
        { name: 'worker_threads', round: () => startWorkers(64) },
      ];
    },
  },
  {
    title: 'memory of 64 threads, each having answered',
    unit: 'KiB a thread',
    better: 'less',
    rounds: 3,
    execArgv: ['--expose-gc'],
    entries: async () => {
      const { WorkerPool } = require('..');
      return [
        { name: 'rust-workers', round: () => memoryOf(64, (keep) => startOurs(WorkerPool, 64, keep)) },
        { name: 'worker_threads', round: () => memoryOf(64, (keep) => startWorkers(64, keep)) },
      ];
    },
  },
  besideWorker('fibonacci(38), one thread', 'fibonacci', 38),
  besideWorker('sumSqrt(3), a million square roots, one thread', 'sumSqrt', 3),
  {
    title: 'sorting a million random doubles',
    unit: 'ms',
    better: 'less',
    rounds: 5,
    note: 'With the way to the thread and back; the array is given away, so no copy.',
    entries: async () => {
      const { pool } = rustWorkers(1);
      const random = Float64Array.from({ length: 1_000_000 }, Math.random);
      const ours = () => {
        const numbers = random.slice();
        return millis(() => pool.run('sort', numbers, { transfer: [numbers.buffer] }));
      };
      return [
        { name: 'rust-workers', round: ours },
        { name: 'Float64Array.prototype.sort, blocking', round: () => millis(() => random.slice().sort()) },
      ];
    },
  },
  {
    title: 'sha256 of 64 buffers of 1 MiB',
    unit: 'ms',
    better: 'less',
    rounds: 5,
    entries: async () => {
      const { createHash, subtle } = require('node:crypto');
      const { pool } = rustWorkers(THREADS);
      const buffers = Array.from({ length: 64 }, (_, i) => Buffer.alloc(1024 * 1024, i));
      const blocking = () => buffers.forEach((buffer) => createHash('sha256').update(buffer).digest());
      const each = () => Promise.all(buffers.map((buffer) => pool.run('sha256', buffer)));
      const web = () => Promise.all(buffers.map((buffer) => subtle.digest('SHA-256', buffer)));
      return [
        { name: 'rust-workers, run', note: 'two threads', round: () => millis(each) },
        { name: 'rust-workers, map', note: 'two threads', round: () => millis(() => pool.map('sha256', buffers)) },
        { name: 'crypto.createHash', note: 'blocking', round: () => millis(async () => blocking()) },
        { name: 'crypto.subtle.digest', note: 'libuv\'s threads', round: () => millis(web) },
      ];
    },
  },
  {
    title: 'sha256 of one buffer of 64 bytes, alone',
    unit: 'µs',
    better: 'less',
    note: 'What not to use a pool for.',
    entries: async () => {
      const { createHash } = require('node:crypto');
      const { pool } = rustWorkers(1);
      const bytes = Buffer.alloc(64, 'x');
      return [
        { name: 'rust-workers', round: () => latency(200, () => pool.run('sha256', bytes)) },
        { name: 'crypto.createHash', round: () => latency(200, () => createHash('sha256').update(bytes).digest()) },
      ];
    },
  },
];

/** Milliseconds that a task holds its thread, so that the next needs another; taken off the figure. */
const HOLD = 30;

/** Milliseconds until `count` threads of a new pool have each answered. */
async function startOurs(WorkerPool, count, keep) {
  const pool = new WorkerPool({ maxThreads: count });
  const took = await millis(() => Promise.all(Array.from({ length: count }, () => pool.run('sleep', HOLD))));
  if (pool.threads !== count) throw new Error(`${pool.threads} threads instead of ${count}`);
  if (keep === undefined) await pool.destroy();
  else keep(() => pool.destroy());
  return took - HOLD;
}

async function startWorkers(count, keep) {
  let workers;
  const took = await millis(async () => {
    workers = Array.from({ length: count }, () => rawWorkers(1));
    await Promise.all(workers.map((worker) => worker.run()));
  });
  const end = () => Promise.all(workers.map((worker) => worker.close()));
  if (keep === undefined) await end();
  else keep(end);
  return took;
}

/** KiB of resident memory that each of `count` threads adds, while all live. */
async function memoryOf(count, start) {
  globalThis.gc();
  const before = process.memoryUsage().rss;
  let end;
  await start((stop) => {
    end = stop;
  });
  const after = process.memoryUsage().rss;
  await end();
  return Math.max(0.1, (after - before) / 1024 / count);
}

module.exports = { title: 'The native pool', contests };
