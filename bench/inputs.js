'use strict';

/** Inputs of some size to native tasks, a number as the answer, beside pools of JavaScript workers with the same function. */

const { burst, bursts } = require('./harness/measure');
const { BY_HAND, LIBRARIES, OURS, scripts } = require('./rivals/scripts');

const THREADS = 2;
const IN_FLIGHT = 20_000;
const ROUND_MS = 150;

/** `native` is our task, `name` the function of rivals/scripts/body.js. */
const contest = ({ title, note, native, name, input, makers }) => ({
  title,
  unit: 'tasks/s',
  better: 'more',
  rounds: 15,
  note,
  rivals: [
    {
      name: 'rust-workers, native task',
      open: () => {
        const { WorkerPool } = require('..');
        const pool = new WorkerPool({ maxThreads: THREADS });
        const value = input();
        return {
          round: () => bursts(ROUND_MS, IN_FLIGHT, () => burst(IN_FLIGHT, () => pool.run(native, value))),
          stop: () => pool.destroy(),
        };
      },
    },
    ...scripts(makers, THREADS, (pool) => {
      const value = input();
      return () => bursts(ROUND_MS, IN_FLIGHT, () => burst(IN_FLIGHT, () => pool.run(name, value)));
    }),
  ],
});

/** The others take seconds for a burst. */
const QUICKEST = LIBRARIES.slice(0, 3);

const ourScript = { ...OURS, name: 'rust-workers, script' };

const contests = [
  contest({
    title: 'buffers of 1 KiB in, a number out, 20,000 in flight',
    note: 'The native task computes a checksum, the functions of the others give the length.',
    native: 'crc32',
    name: 'lengthOf',
    input: () => Buffer.alloc(1024, 7),
    // `multithreading` moves the only buffer away.
    makers: [ourScript, BY_HAND, ...QUICKEST.filter(({ noCopies }) => !noCopies)],
  }),
  contest({
    title: 'small objects in, a number out, 20,000 in flight',
    native: 'sumSqrt',
    name: 'roots',
    input: () => ({ n: 3, iterations: 1 }),
    makers: [ourScript, BY_HAND, ...QUICKEST],
  }),
];

module.exports = { title: 'Inputs of native tasks', contests };
