'use strict';

/** What a native task costs, beside the JavaScript pools, worker_threads, napi-rs, and what promises alone cost. */

const { burst, bursts, millis, quantile, times, median } = require('./harness/measure');
const { ADDON } = require('./harness/peers');
const { ASYNC_TASK, BARE, LIBRARIES, OURS, RAW, natives, rustWorkers } = require('./rivals');

const THREADS = 2;
const ROUND_MS = 150;
/** libuv's threads serve AsyncTask: as many as each pool has. */
const ENV = { UV_THREADPOOL_SIZE: String(THREADS) };

const byBursts =
  (count) =>
  ({ run }) =>
  () =>
    bursts(ROUND_MS, count, () => burst(count, run));

const inFlight = (count, makers, extra) => ({
  title: `no-op tasks, ${count.toLocaleString('en-US')} in flight`,
  unit: 'tasks/s',
  better: 'more',
  rounds: 15,
  env: ENV,
  note: 'Two threads each, also for AsyncTask.',
  ...extra,
  rivals: natives(makers, THREADS, byBursts(count)),
});

/** Processor time of the main thread for each task, from the first submission until the last promise has settled. */
function mainThreadTime(count) {
  return ({ run }) => {
    const { threadCpuMicros } = require(ADDON);
    return async () => {
      const until = performance.now() + ROUND_MS;
      let [tasks, submitting, settling] = [0, 0, 0];
      do {
        const promises = new Array(count);
        const began = threadCpuMicros();
        for (let i = 0; i < count; i++) promises[i] = run();
        const submitted = threadCpuMicros();
        await Promise.all(promises);
        submitting += submitted - began;
        settling += threadCpuMicros() - submitted;
        tasks += count;
      } while (performance.now() < until);
      return {
        value: (submitting + settling) / tasks,
        'submitting, µs': submitting / tasks,
        'settling, µs': settling / tasks,
      };
    };
  };
}

/** The median, and what is needed to draw how the single times are spread. */
function spread(all) {
  const micros = (share) => quantile(all, share);
  return {
    value: median(all),
    p10: micros(0.1),
    p25: micros(0.25),
    p75: micros(0.75),
    p90: micros(0.9),
    p99: micros(0.99),
  };
}

const oneAtATime = (extra) => ({
  unit: 'µs',
  better: 'less',
  rounds: 15,
  env: ENV,
  ...extra,
  shown: ['p90', 'p99'],
  rivals: natives(
    [OURS, RAW, ASYNC_TASK, ...LIBRARIES],
    THREADS,
    ({ run }) =>
      async () =>
        spread(await times(500, run)),
  ),
});

const SERIES = [1, 10, 100, 1_000, 10_000, 100_000];
/** Above it `multithreading` mixes up results, and the others take seconds for a burst. */
const MOST_OF_LIBRARIES = 10_000;

const contests = [
  inFlight(20_000, [OURS, BARE, RAW, ASYNC_TASK, ...LIBRARIES]),
  inFlight(200_000, [OURS, BARE, RAW, ASYNC_TASK], {
    note: 'Two threads each. The libraries take too long for so many, or mix up their results.',
  }),
  {
    title: 'main-thread time of a no-op, 20,000 in flight',
    unit: 'µs',
    better: 'less',
    rounds: 15,
    env: ENV,
    needs: 'thread time',
    note: 'Processor time of that thread alone, with Promise.all.',
    rivals: natives([OURS, BARE, RAW, ASYNC_TASK, ...LIBRARIES.slice(0, 3)], THREADS, mainThreadTime(20_000)),
  },
  {
    title: 'map of a no-op over 100,000 numbers',
    unit: 'tasks/s',
    better: 'more',
    rounds: 15,
    note: 'One promise for all; the others have a promise for each.',
    rivals: [
      {
        name: 'rust-workers, map',
        open: async () => {
          const { pool, close } = rustWorkers(THREADS);
          const inputs = Array.from({ length: 100_000 }, (_, i) => i);
          return { round: () => bursts(ROUND_MS, inputs.length, () => pool.map('noop', inputs)), stop: close };
        },
      },
      ...natives([{ ...OURS, name: 'rust-workers, run' }, RAW], THREADS, byBursts(100_000)),
    ],
  },
  oneAtATime({ title: 'one no-op after the other, bound to one core', pinned: true }),
  oneAtATime({ title: 'one no-op after the other', note: 'Both cores free: the kernel wakes a core, or it does not.' }),
  ...SERIES.map((count) =>
    inFlight(count, [OURS, RAW, ASYNC_TASK, ...LIBRARIES.slice(0, count > MOST_OF_LIBRARIES ? 0 : 3)], {
      title: `no-op tasks by number in flight: ${count.toLocaleString('en-US')}`,
      rounds: 5,
    }),
  ),
];

module.exports = { title: 'The cost of a native task', contests };
