'use strict';

/**
 * PoolWorker beside BullMQ's own ways to run a job, on the same work and the same Redis: `node __test__/bullmq/compare.js`, after
 * .ci/bullmq has installed the packages. Ways take turns, in every second round the other way round, since the first one of a
 * process runs code that is not compiled yet. The medians of the rounds are printed.
 */

const { availableParallelism } = require('node:os');
const path = require('node:path');

const { Queue, QueueEvents, Worker } = require('bullmq');
const { WorkerPool } = require('rust-workers');
const { PoolWorker } = require('rust-workers/bullmq');

const { startRedis } = require('./support/redis');

const ROUNDS = Number(process.env.RW_ROUNDS ?? 7);
const THREADS = availableParallelism();
const SANDBOXED = path.join(__dirname, 'fixtures', 'compared.js');
const FUNCTIONS = path.join(__dirname, 'fixtures', 'compared-on-pool.js');

/** Work of each kind, in rounds of the loop in fixtures/loop.js; `jobs` that are in the queue when the worker starts. */
const KINDS = [
  { title: 'no work', loops: 0, jobs: 1000, text: 0 },
  { title: 'a loop of about 1 ms', loops: 1_000_000, jobs: 400, text: 0 },
  { title: 'a loop of about 10 ms', loops: 10_000_000, jobs: 60, text: 0 },
  { title: '64 KiB of data, no work', loops: 0, jobs: 300, text: 65_536 },
];
const SINGLE_JOBS = 100;

const WAYS = {
  'PoolWorker': (queue, connection) => {
    const pool = new WorkerPool(FUNCTIONS, { maxThreads: THREADS });
    return new PoolWorker(queue, pool, { connection, task: 'default', closePool: true });
  },
  'sandbox, threads': (queue, connection) =>
    new Worker(queue, SANDBOXED, { connection, concurrency: THREADS, useWorkerThreads: true }),
  'sandbox, processes': (queue, connection) => new Worker(queue, SANDBOXED, { connection, concurrency: THREADS }),
  'in the event loop': (queue, connection) =>
    new Worker(queue, async (job) => require('./fixtures/compared-on-pool')(job.data), { connection, concurrency: THREADS }),
};

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const quantile = (numbers, part) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];

/** Resolves when so many jobs are completed. */
function completed(worker, count) {
  return new Promise((resolve, reject) => {
    worker.on('completed', () => --count === 0 && resolve());
    worker.on('failed', (job, error) => reject(error));
  });
}

let queues = 0;

/**
 * One round of one way: jobs a second once the threads are there, microseconds of this process's CPU time a job, and the
 * milliseconds until the first job is done.
 */
async function throughput(make, { loops, jobs, text }, connection) {
  const queue = new Queue(`compared-${++queues}`, { connection });
  const data = { loops, text: 'x'.repeat(text) };
  const list = (count) => Array.from({ length: count }, () => ({ name: 'job', data, opts: { removeOnComplete: true } }));
  await queue.addBulk(list(1));
  const began = performance.now();
  const worker = make(queue.name, connection);
  await completed(worker, 1);
  const first = performance.now() - began;
  // Each thread, or process, has started.
  const warm = completed(worker, 4 * THREADS);
  await queue.addBulk(list(4 * THREADS));
  await warm;
  await worker.pause();
  await queue.addBulk(list(jobs));
  const done = completed(worker, jobs);
  const start = performance.now();
  const used = process.cpuUsage();
  await worker.resume();
  await done;
  const { user, system } = process.cpuUsage(used);
  const cpu = (user + system) / jobs;
  const rate = jobs / ((performance.now() - start) / 1000);
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return { rate, first, cpu };
}

/** The milliseconds from `queue.add` to the event of its end, job by job. */
async function latency(make, connection) {
  const queue = new Queue(`compared-${++queues}`, { connection });
  const events = new QueueEvents(queue.name, { connection });
  const worker = make(queue.name, connection);
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  const times = [];
  for (let at = 0; at < SINGLE_JOBS + 20; at++) {
    const start = performance.now();
    const job = await queue.add('job', { loops: 0, text: '' });
    await job.waitUntilFinished(events);
    if (at >= 20) times.push(performance.now() - start);
  }
  await worker.close();
  await queue.obliterate({ force: true });
  await Promise.all([queue.close(), events.close()]);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function main() {
  const redis = await startRedis();
  const connection = { ...redis.connection, maxRetriesPerRequest: null };
  const results = new Map(Object.keys(WAYS).map((way) => [way, { rates: KINDS.map(() => []), first: [], cpu: [], p50: [], p99: [] }]));
  for (let round = 0; round < ROUNDS; round++) {
    const ways = round % 2 === 0 ? Object.entries(WAYS) : Object.entries(WAYS).reverse();
    for (const [at, kind] of KINDS.entries()) {
      for (const [way, make] of ways) {
        const { rate, first, cpu } = await throughput(make, kind, connection);
        results.get(way).rates[at].push(rate);
        if (at > 0) continue;
        results.get(way).first.push(first);
        results.get(way).cpu.push(cpu);
      }
    }
    for (const [way, make] of ways) {
      const { p50, p99 } = await latency(make, connection);
      results.get(way).p50.push(p50);
      results.get(way).p99.push(p99);
    }
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  await redis.stop();
  const median = (numbers) => quantile(numbers, 0.5);
  console.log(`Node.js ${process.version}, bullmq ${require('bullmq/package.json').version}, ${THREADS} threads, medians of ${ROUNDS} rounds`);
  console.log(`| | ${Object.keys(WAYS).join(' | ')} |`);
  console.log(`|---|${'---|'.repeat(Object.keys(WAYS).length)}`);
  const row = (title, of, digits = 0) =>
    console.log(`| ${title} | ${[...results.values()].map((one) => median(of(one)).toFixed(digits)).join(' | ')} |`);
  KINDS.forEach(({ title }, at) => row(`jobs a second: ${title}`, (one) => one.rates[at]));
  row('one job after the other, p50 (ms)', (one) => one.p50, 1);
  row('the same, p99 (ms)', (one) => one.p99, 1);
  row('CPU time of the process for a job without work (µs)', (one) => one.cpu);
  row('first job, with the start of its thread (ms)', (one) => one.first);
}

main();
