'use strict';

/**
 * How long it takes from an abort until the thread, or the worker, that ran the task is free: for every built-in task that can
 * take long, and for loops of a script. Each row is a pool of one thread: its task is aborted in the middle, and the next task, which
 * does nothing, is awaited.
 */

const path = require('node:path');
const { setTimeout: after } = require('node:timers/promises');

/** Aborts in one round. */
const ABORTS = 40;
/** Milliseconds that a task has run before it is aborted: at least, and at most. */
const RUNS_FOR = [1, 4];
/** Bytes of shared memory for the tasks that work on such. */
const MEMORY = 256 * 1024 * 1024;

const FOR_EVER = 60_000;
const SCRIPT = path.join(__dirname, 'rivals', 'scripts', 'cancelled.js');

/** What each native task is given, so that it takes much longer than it is let run. */
const INPUTS = {
  atomicAdd: ({ cells }) => ({ buffer: cells, count: 2 ** 50 }),
  atomicWait: ({ cells }) => ({ buffer: cells, index: 1, value: 0 }),
  blake3: ({ bytes }) => bytes,
  crc32: ({ bytes }) => bytes,
  fibonacci: () => 70,
  fill: ({ doubles }) => ({ data: doubles, value: 1 }),
  histogram: ({ bytes }) => bytes,
  primes: () => 1e10,
  sha256: ({ bytes }) => bytes,
  sha512: ({ bytes }) => bytes,
  sleep: () => FOR_EVER,
  sort: ({ doubles }) => doubles,
  sum: ({ doubles }) => ({ data: doubles, order: 'sequential' }),
  sumSqrt: () => 1e15,
  wordCount: ({ bytes }) => bytes,
};

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

/**
 * @param {import('..').WorkerPool} pool of one thread
 * @param {(options: object) => Promise<unknown>} run the task that is aborted
 * @param {() => Promise<unknown>} next the task after it
 * @returns {Promise<object>} milliseconds
 */
async function round(pool, run, next) {
  const times = [];
  while (times.length < ABORTS) {
    const stop = new AbortController();
    let hasEnded = false;
    const task = run({ signal: stop.signal }).then(() => (hasEnded = true), () => {});
    while (pool.stats().running === 0 && !hasEnded) await after(0);
    const until = performance.now() + RUNS_FOR[0] + Math.random() * (RUNS_FOR[1] - RUNS_FOR[0]);
    while (performance.now() < until);
    const began = performance.now();
    stop.abort();
    await next();
    // Of a task that was through before, there was nothing to stop.
    if (!hasEnded) times.push(performance.now() - began);
    await task;
  }
  times.sort((a, b) => a - b);
  return { value: quantile(times, 0.5), 'p99, ms': quantile(times, 0.99), 'longest, ms': times.at(-1) };
}

/** Memory that a native task works on. */
function memory() {
  const { SharedBuffer } = require('..');
  const shared = new SharedBuffer(MEMORY);
  const bytes = new Uint8Array(shared.buffer);
  for (let i = 0; i < 1024 * 1024; i++) bytes[i] = 32 + ((i * 7919) % 95);
  for (let filled = 1024 * 1024; filled < MEMORY; filled *= 2) bytes.copyWithin(filled, 0, filled);
  return { bytes, doubles: new Float64Array(shared.buffer), cells: new SharedBuffer(64) };
}

function native(task) {
  return {
    name: task === 'sleep' ? 'rust-workers, sleep' : `rust-workers, ${task}`,
    open() {
      const { WorkerPool } = require('..');
      const pool = new WorkerPool({ maxThreads: 1 });
      const input = INPUTS[task](/bytes|doubles|cells/.test(INPUTS[task]) ? memory() : {});
      return { round: () => round(pool, (options) => pool.run(task, input, options), () => pool.run('noop')), stop: () => pool.destroy() };
    },
  };
}

function script(name, note, options) {
  return {
    name: `rust-workers, script: ${note}`,
    async open() {
      const { WorkerPool } = require('..');
      const pool = new WorkerPool(SCRIPT, { maxThreads: 1, minThreads: 1, ...options });
      await pool.run('nothing');
      return { round: () => round(pool, (given) => pool.run(name, undefined, given), () => pool.run('nothing')), stop: () => pool.destroy() };
    },
  };
}

const contest = (title, rivals, rounds = 5) => ({
  title,
  unit: 'ms',
  better: 'less',
  rounds,
  warmups: 1,
  note: `The value is the median of ${ABORTS} aborts, in the middle of the task; the way of the next task to the thread and back is in it.`,
  rivals,
});

const [first, ...others] = ['sleep', ...Object.keys(INPUTS).filter((task) => task !== 'sleep')];

const contests = [
  contest('from an abort until the thread is free, native tasks', [native(first), ...others.map(native)]),
  contest('from an abort until the worker is free, loops of a script', [
    script('looks', 'a loop that asks task.cancelled'),
    script('throws', 'a loop that calls task.throwIfCancelled()'),
    script('awaits', 'a function that awaits task.signal'),
  ]),
  contest(
    'from an abort until another worker is there, a loop that never looks',
    [script('spins', 'killTimeout 0', { killTimeout: 0 }), script('spins', 'killTimeout 50', { killTimeout: 50 })],
    3,
  ),
];

module.exports = { title: 'Cancellation', contests };
