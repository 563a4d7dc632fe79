'use strict';

/** How late the event loop of the main thread is while a pool is busy with tasks of a millisecond. */

const { monitorEventLoopDelay } = require('node:perf_hooks');

const { BY_HAND, LIBRARIES, OURS, scripts } = require('./rivals/scripts');

const THREADS = 2;
const IN_FLIGHT = 64;
const ROUND_MS = 1_000;
/** Milliseconds between two looks of the timer that is measured. */
const RESOLUTION = 1;
/** About a millisecond of a native thread, and of a worker. */
const FIBONACCI = 28;
const WORK = { n: 3, iterations: 400_000 };

/** @returns {Promise<object>} milliseconds that a timer came too late: of 100 the second latest */
async function lateness(run) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  const until = performance.now() + ROUND_MS;
  let tasks = 0;
  const lane = async () => {
    while (performance.now() < until) {
      await run();
      tasks++;
    }
  };
  const lanes = Array.from({ length: IN_FLIGHT }, lane);
  delay.enable();
  await Promise.all(lanes);
  delay.disable();
  const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  return {
    value: late(delay.percentile(99)),
    'median, ms': late(delay.percentile(50)),
    'longest, ms': late(delay.max),
    'tasks/s': tasks / (ROUND_MS / 1000),
  };
}

const native = {
  name: 'rust-workers, native tasks',
  open: () => {
    const { WorkerPool } = require('..');
    const pool = new WorkerPool({ maxThreads: THREADS });
    return { round: () => lateness(() => pool.run('fibonacci', FIBONACCI)), stop: () => pool.destroy() };
  },
};

const contests = [
  {
    title: 'event loop delay while 2 threads are busy with tasks of 1 ms, 99th percentile',
    unit: 'ms',
    better: 'less',
    rounds: 7,
    warmups: 1,
    note: 'Of a timer each millisecond.',
    rivals: [
      native,
      ...scripts(
        [{ ...OURS, name: 'rust-workers, script' }, BY_HAND, ...LIBRARIES.slice(0, 4)],
        THREADS,
        (pool) => () => lateness(() => pool.run('roots', WORK)),
      ),
    ],
  },
];

module.exports = { title: 'The event loop of the main thread', contests };
