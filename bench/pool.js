'use strict';

/** The native pool beside the JavaScript pools, plain worker_threads, and what JavaScript alone could do. */

const { allPools } = require('./rivals');
const { latency } = require('./harness/contest');

const THREADS = 2;

/** Throughput with `count` tasks submitted at once. */
async function burst(count, run) {
  const promises = new Array(count);
  const started = performance.now();
  for (let i = 0; i < count; i++) promises[i] = run();
  await Promise.all(promises);
  return count / ((performance.now() - started) / 1000);
}

const ceiling = {
  name: 'promises alone, no threads at all',
  run() {
    return new Promise((resolve) => {
      queueMicrotask(resolve);
    });
  },
};

const contests = [
  {
    title: 'no-op tasks, 20,000 in flight',
    unit: 'tasks/s',
    better: 'more',
    entries: async () =>
      [...(await allPools(THREADS)), ceiling].map(({ name, run, close }) => ({
        name,
        round: () => burst(20_000, run),
        stop: close,
      })),
  },
  {
    title: 'latency of one no-op task after the other, bound to one core',
    unit: 'µs',
    better: 'less',
    pinned: true,
    entries: async () =>
      (await allPools(THREADS)).map(({ name, run, close }) => ({ name, round: () => latency(300, run), stop: close })),
  },
];

module.exports = { title: 'The native pool', contests };
