'use strict';

/** Pools of JavaScript workers side by side: the same function in each, so that the pools themselves are measured. */

const { median, perSecond, perSecondFor, quantile, times } = require('./harness/measure');
const { ALL, BY_HAND, LIBRARIES, OURS, scripts } = require('./rivals/scripts');

const THREADS = 2;
const WINDOW = 5_000;
const MIB = 1024 * 1024;
const ROUND_MS = 300;

const small = () => ({ a: 1, b: 'some name', c: [1, 2, 3] });

/** The median, and what is needed to draw how the single times are spread. */
function spread(all) {
  const [p10, p25, p75, p90, p99] = [0.1, 0.25, 0.75, 0.9, 0.99].map((share) => quantile(all, share));
  return { value: median(all), p10, p25, p75, p90, p99 };
}

const one = (extra) => ({
  unit: 'µs',
  better: 'less',
  ...extra,
  shown: ['p90', 'p99'],
  rivals: scripts(ALL, THREADS, (pool) => async () => spread(await times(1_000, () => pool.run('small', small())))),
});

const moving = ALL.filter(({ moves }) => moves);
const copying = ALL.filter(({ onlySmall, noCopies }) => !onlySmall && !noCopies);

const PAYLOADS = [
  ['64 B', 64],
  ['1 KiB', 1024],
  ['16 KiB', 16 * 1024],
  ['256 KiB', 256 * 1024],
  ['1 MiB', MIB],
];
const THREAD_COUNTS = [1, 2, 4, 8];
/** About 0.1 ms. */
const WORK = { n: 3, iterations: 40_000 };

const contests = [
  {
    title: 'tasks with a small object in and out, 5,000 in flight, 2 workers',
    unit: 'tasks/s',
    better: 'more',
    rounds: 9,
    rivals: scripts(ALL, THREADS, (pool) => () => perSecondFor(ROUND_MS, WINDOW, () => pool.run('small', small()))),
  },
  one({ title: 'one such task after the other, bound to one core', pinned: true }),
  one({ title: 'one such task after the other', note: 'Both cores free: the kernel wakes a core, or it does not.' }),
  {
    title: 'buffers of 1 MiB in and out, copied, 16 in flight',
    unit: 'tasks/s',
    better: 'more',
    rivals: scripts(copying, THREADS, (pool) => {
      const buffer = new Uint8Array(MIB).fill(7);
      return () => perSecond(200, 16, () => pool.run('bytes', buffer));
    }),
  },
  {
    title: 'buffers of 1 MiB in and out, moved, 16 in flight',
    unit: 'tasks/s',
    better: 'more',
    rounds: 15,
    rivals: scripts(moving, THREADS, (pool) => () => perSecond(400, 16, () => pool.moved(new Uint8Array(MIB)))),
  },
  ...PAYLOADS.map(([name, size]) => ({
    title: `bytes in and out, copied, 16 in flight, by size: ${name}`,
    unit: 'tasks/s',
    better: 'more',
    rounds: 5,
    rivals: scripts([OURS, BY_HAND, ...copying.filter(({ library }) => library).slice(0, 2)], THREADS, (pool) => {
      const buffer = new Uint8Array(size).fill(7);
      return () => perSecondFor(ROUND_MS, 16, () => pool.run('bytes', buffer));
    }),
  })),
  ...THREAD_COUNTS.map((threads) => ({
    title: `tasks of 0.1 ms of work, 64 in flight, by workers: ${threads}`,
    unit: 'tasks/s',
    better: 'more',
    rounds: 5,
    rivals: scripts(
      [OURS, BY_HAND, ...LIBRARIES.slice(0, 3)],
      threads,
      (pool) => () => perSecondFor(ROUND_MS, 64, () => pool.run('roots', WORK)),
    ),
  })),
];

module.exports = { title: 'Pools of JavaScript workers', contests };
