'use strict';

/** How the cost of a task depends on how many are queued: until all are done, cancelled, or refused by an ended pool. */

const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setTimeout: after } = require('node:timers/promises');

const { burst, millis } = require('./harness/measure');

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const LOCK_WAITS = [1_000, 10_000, 80_000];
const THREADS = 2;
/** Tasks of a round; the largest size is a round of its own. */
const ROUND_TASKS = 100_000;
/** Milliseconds between two looks of the timer that measures turns. */
const RESOLUTION = 1;

/**
 * Runs `work` and measures the longest turn of the event loop in it.
 *
 * @returns {Promise<number>} milliseconds
 */
async function longestTurn(work) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  // The first tick only begins the measurement, and the last must have been.
  await after(5);
  delay.reset();
  await after(5);
  await work();
  await after(5);
  delay.disable();
  return Math.max(0, delay.max / 1e6 - RESOLUTION);
}

function newPool() {
  const { WorkerPool } = require('..');
  return new WorkerPool({ maxThreads: THREADS });
}

/** Every thread is held by a task, so what follows stays queued until `release` aborts those. */
async function held() {
  const pool = newPool();
  const holding = new AbortController();
  const holders = Array.from({ length: THREADS }, () =>
    pool.run('sleep', 600_000, { signal: holding.signal }).catch(() => undefined),
  );
  while (pool.stats().running < THREADS) await after(1);
  return { pool, release: async () => (holding.abort(), await Promise.all(holders)) };
}

/** Rounds of `once(count)`, which gives microseconds in all and further columns; as many as make a measurable time. */
function repeated(count, once) {
  const repeats = Math.max(1, Math.floor(ROUND_TASKS / count));
  return async () => {
    const all = [];
    for (let i = 0; i < repeats; i++) all.push(await once(count));
    const columns = Object.keys(all[0]).map((name) => [name, Math.max(...all.map((one) => one[name]))]);
    const value = all.reduce((sum, one) => sum + one.value, 0) / (repeats * count);
    return { ...Object.fromEntries(columns), value };
  };
}

/** Resolves when each of `count` promises has been rejected. */
function allRejected(count, run) {
  return new Promise((resolve, reject) => {
    let left = count;
    const rejected = () => {
      if (--left === 0) resolve();
    };
    const fulfilled = () => reject(new Error('a task has run that should not'));
    for (let i = 0; i < count; i++) run().then(fulfilled, rejected);
  });
}

/** Submission and completion; the pool takes them as they come. The turn in which the program submits is its own. */
function finishing() {
  const pool = newPool();
  return {
    once: async (count) => {
      const started = performance.now();
      const took = burst(count, () => pool.run('noop')).then(() => performance.now() - started);
      const turn = await longestTurn(() => took);
      return { value: (await took) * 1000, 'longest turn, ms': turn };
    },
    stop: () => pool.destroy(),
  };
}

/** The time and the longest turn from the call of `end` until `settled`, and of that call alone. */
async function ending(name, end, settled) {
  let [call, took] = [0, 0];
  const turn = await longestTurn(async () => {
    took = await millis(async () => {
      const started = performance.now();
      const ended = end();
      call = performance.now() - started;
      await Promise.all([ended, settled]);
    });
  });
  return { value: took * 1000, [name]: call, 'longest turn, ms': turn };
}

/** All queued tasks have the same signal; the time is from `abort()` until the last promise has been rejected. */
async function cancelling() {
  const { pool, release } = await held();
  return {
    once: (count) => {
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const rejected = allRejected(count, () => pool.run('noop', undefined, options));
      return ending('abort(), ms', () => controller.abort(), rejected);
    },
    stop: async () => {
      await release();
      await pool.destroy();
    },
  };
}

/** Each time a pool of its own; the time is from `destroy()` until it and every promise have settled. */
function destroying() {
  return {
    once: async (count) => {
      const { pool } = await held();
      const rejected = allRejected(count, () => pool.run('noop'));
      return ending('destroy(), ms', () => pool.destroy(), rejected);
    },
  };
}

/** Waits for a mutex that is held, all with one signal. */
async function cancellingWaits() {
  const { Mutex } = require('..');
  const mutex = new Mutex();
  const guard = await mutex.lock();
  return {
    once: (count) => {
      const controller = new AbortController();
      const options = { signal: controller.signal };
      const rejected = allRejected(count, () => mutex.lock(options));
      return ending('abort(), ms', () => controller.abort(), rejected);
    },
    stop: () => guard.release(),
  };
}

const queued = (title, open, note, sizes = SIZES) => ({
  title,
  unit: 'µs a task',
  better: 'less',
  rounds: 5,
  warmups: 1,
  note,
  rivals: sizes.map((count) => ({
    name: `${count.toLocaleString('en-US')} queued`,
    open: async () => {
      const { once, stop } = await open();
      return { round: repeated(count, once), stop };
    },
  })),
});

const contests = [
  queued('submitted and finished, by number queued', finishing),
  queued('all cancelled by one signal, by number queued', cancelling, 'From abort() until every promise is rejected.'),
  queued('destroy() of a pool, by number queued', destroying, 'Until it and every promise have settled.'),
  queued(
    'waits for a mutex, all cancelled by one signal, by number waiting',
    cancellingWaits,
    'From abort() until every promise is rejected.',
    LOCK_WAITS,
  ),
];

module.exports = { title: 'Many queued tasks', contests };
