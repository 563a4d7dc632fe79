'use strict';

/** Start-up and memory: of threads, of pools, of the first result of a program, and of the package in a plain Worker. */

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { setTimeout: after } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');

const { median, millis } = require('./harness/measure');
const { rawWorkers } = require('./rivals');
const { file } = require('./rivals/scripts');
const { file: firstFile, firsts } = require('./rivals/first');

const MANY = 64;
const FEW = 4;
/** Milliseconds that a task holds its thread, so that the next needs another; taken off the figure. */
const HOLD = 30;
/** Programs, or workers, of a round. */
const REPEATS = 5;

const simple = (name, round) => ({ name, open: () => ({ round }) });

/** Milliseconds until `count` native threads of a new pool have each answered. */
async function startNative(count, keep) {
  const { WorkerPool } = require('..');
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

/** KiB of resident memory that each of `count` further threads adds to the first one, while all live. */
async function memoryOf(count, start) {
  const ends = [];
  const keep = (end) => ends.push(end);
  await start(1, keep);
  globalThis.gc();
  const before = process.memoryUsage().rss;
  await start(count, keep);
  const added = process.memoryUsage().rss - before;
  await Promise.all(ends.map((end) => end()));
  return added / 1024 / count;
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

/** piscina makes a worker for each task that finds none idle, and `threads` has only those that have loaded the script. */
async function piscinaReady(count) {
  const { Piscina } = require('piscina');
  let pool;
  const time = await millis(async () => {
    pool = new Piscina({ filename: file('functions.js'), minThreads: count, maxThreads: count });
    await Promise.all(Array.from({ length: count }, () => pool.run({ a: 1, b: 'x', c: [] })));
    while (pool.threads.length < count) await after(1);
  });
  await pool.destroy();
  return time;
}

/** Milliseconds in a new process from before `require` until the first result: the median of some. */
function firstResult(name) {
  const times = Array.from({ length: REPEATS }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [firstFile('program.js'), name], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name} ended with exit code ${status}: ${stderr}`);
    return Number(stdout);
  });
  return median(times);
}

/** Milliseconds until a new Worker, which begins with `script`, has posted a message; and MiB of its heap. */
async function firstMessage(script) {
  const times = [];
  let heap;
  for (let i = 0; i < REPEATS; i++) {
    const started = performance.now();
    const worker = new Worker(firstFile(script));
    heap = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    times.push(performance.now() - started);
    await worker.terminate();
  }
  return { value: median(times), 'heap, MiB': heap / 1024 ** 2 };
}

const contests = [
  {
    title: `start of ${MANY} threads, each having answered`,
    unit: 'ms',
    better: 'less',
    rounds: 5,
    warmups: 1,
    rivals: [simple('rust-workers, native', () => startNative(MANY)), simple('worker_threads', () => startWorkers(MANY))],
  },
  {
    title: `memory of ${MANY} threads, each having answered`,
    unit: 'KiB a thread',
    better: 'less',
    // Memory that was once freed hides growth.
    rounds: 1,
    warmups: 0,
    execArgv: ['--expose-gc'],
    rivals: [
      simple('rust-workers, native', () => memoryOf(MANY, startNative)),
      simple('worker_threads', () => memoryOf(MANY, startWorkers)),
    ],
  },
  {
    title: `from nothing until ${FEW} workers have answered`,
    unit: 'ms',
    better: 'less',
    rounds: 15,
    rivals: [
      simple('rust-workers, script', () => oursReady(FEW)),
      simple('bare Workers', () => bareReady(FEW)),
      simple('piscina', () => piscinaReady(FEW)),
    ],
  },
  {
    title: 'first result of a program, from before require',
    unit: 'ms',
    better: 'less',
    rounds: 5,
    warmups: 1,
    note: "With one worker. Node's own start, about 40 ms, is not in it.",
    rivals: Object.keys(firsts).map((name) => simple(name, () => firstResult(name))),
  },
  {
    title: 'first message of a Worker that requires the package',
    unit: 'ms',
    better: 'less',
    rounds: 15,
    // What a service does: the main thread has it already.
    context: () => void require('..'),
    rivals: [
      simple('a Worker that requires rust-workers', () => firstMessage('worker-ours.js')),
      simple('a bare Worker', () => firstMessage('worker-bare.js')),
    ],
  },
];

module.exports = { title: 'Start-up and memory', contests };
