'use strict';

/** The native tasks that compute, beside the same work in JavaScript. */

const { latency, millis } = require('./harness/measure');
const { rawWorkers, rustWorkers } = require('./rivals');

const ROUNDS = 9;
const MILLION = 1_000_000;

const open = (threads, roundOf) => () => {
  const { pool, close } = rustWorkers(threads);
  return { round: roundOf(pool), stop: close };
};

/** One of our tasks beside the same work in a Worker; `others` are inputs for further rows of ours, by name. */
const besideWorker = (title, task, input, others = {}) => ({
  title,
  unit: 'ms',
  better: 'less',
  rounds: ROUNDS,
  rivals: [
    ...Object.entries({ 'rust-workers': input, ...others }).map(([name, own]) => ({
      name,
      open: open(1, (pool) => () => millis(() => pool.run(task, own))),
    })),
    {
      name: 'the same in JavaScript in a Worker',
      open: () => {
        const raw = rawWorkers(1);
        return { round: () => millis(() => raw.run(task, input)), stop: raw.close };
      },
    },
  ],
});

/** Throws unless both hold the same numbers to the bit. */
function mustEqual(name, found, expected) {
  const bytes = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);
  if (!bytes(found).equals(bytes(expected))) throw new Error(`${name} has sorted otherwise than V8`);
}

/** Random doubles in memory of ours, and in JavaScript's. */
function randomDoubles(count) {
  const { SharedBuffer } = require('..');
  const shared = new SharedBuffer(count * 8).as('float64');
  const plain = Float64Array.from({ length: count }, () => Math.random() * 2 - 1);
  shared.array.set(plain);
  return { shared, plain };
}

/** In place, from the same random numbers each time; every result is compared with V8's. */
const sorting = (count, rounds) => {
  const ours = (threads, options) => ({
    open: ({ context: { source, sorted } }) => {
      const { pool, close } = rustWorkers(threads);
      const { shared } = randomDoubles(count);
      const round = async () => {
        shared.array.set(source);
        const took = await millis(() => pool.run('sort', shared, options));
        mustEqual('rust-workers', shared.array, sorted);
        return took;
      };
      return { round, stop: close };
    },
  });
  return {
    title: `sorting ${(count / MILLION).toLocaleString('en')} million random doubles`,
    unit: 'ms',
    better: 'less',
    rounds,
    note: 'In place, ours in shared memory; all come to the same bits.',
    context: () => {
      const { plain: source } = randomDoubles(count);
      return { source, sorted: source.slice().sort() };
    },
    rivals: [
      { name: 'rust-workers, one thread', ...ours(1) },
      { name: 'rust-workers, parallel on 2 threads', ...ours(2, { parallel: true }) },
      {
        name: 'Float64Array.prototype.sort, blocking',
        open: ({ context: { source } }) => {
          const plain = source.slice();
          const round = () => {
            plain.set(source);
            return millis(() => plain.sort());
          };
          return { round };
        },
      },
    ],
  };
};

/** What people write; the answer is used, so that nothing is left out. */
const loops = {
  sum: (array) => {
    let sum = 0;
    for (let i = 0; i < array.length; i++) sum += array[i];
    return sum;
  },
  histogram: (array) => {
    const counts = new Float64Array(256);
    for (let i = 0; i < array.length; i++) counts[array[i]]++;
    return counts;
  },
};

/** In shared memory, so that nothing is copied. */
const reading = (task, title, makeInput, others = []) => ({
  title,
  unit: 'ms',
  better: 'less',
  rounds: ROUNDS,
  note: 'In shared memory.',
  context: makeInput,
  rivals: [
    ...[
      ['rust-workers, one thread', 1, undefined],
      ['rust-workers, parallel on 2 threads', 2, { parallel: true }],
      ...others,
    ].map(([name, threads, options, more]) => ({
      name,
      open: ({ context: { shared } }) => {
        const input = more === undefined ? shared : { data: shared, ...more };
        return open(threads, (pool) => () => millis(() => pool.run(task, input, options)))();
      },
    })),
    {
      name: 'a loop in JavaScript, blocking',
      open: ({ context: { array } }) => ({ round: () => millis(() => loops[task](array)) }),
    },
  ],
});

function doubles() {
  const { shared } = randomDoubles(10 * MILLION);
  return { shared, array: shared.array };
}

function randomBytes() {
  const { SharedBuffer } = require('..');
  const shared = new SharedBuffer(10 * MILLION).as('uint8');
  for (let i = 0; i < shared.array.length; i++) shared.array[i] = Math.random() * 256;
  return { shared, array: shared.array };
}

const hashing = {
  title: 'sha256 of 64 buffers of 1 MiB',
  unit: 'ms',
  better: 'less',
  rounds: ROUNDS,
  context: () => Array.from({ length: 64 }, (_, i) => Buffer.alloc(1024 * 1024, i)),
  rivals: [
    {
      name: 'rust-workers, run',
      note: 'two threads',
      open: ({ context: buffers }) =>
        open(2, (pool) => () => millis(() => Promise.all(buffers.map((buffer) => pool.run('sha256', buffer)))))(),
    },
    {
      name: 'rust-workers, map',
      note: 'two threads',
      open: ({ context: buffers }) => open(2, (pool) => () => millis(() => pool.map('sha256', buffers)))(),
    },
    {
      name: 'crypto.createHash',
      note: 'blocking',
      open: ({ context: buffers }) => {
        const { createHash } = require('node:crypto');
        const blocking = () => buffers.forEach((buffer) => createHash('sha256').update(buffer).digest());
        return { round: () => millis(async () => blocking()) };
      },
    },
    {
      name: 'crypto.subtle.digest',
      note: "libuv's threads",
      open: ({ context: buffers }) => {
        const { subtle } = require('node:crypto');
        return { round: () => millis(() => Promise.all(buffers.map((buffer) => subtle.digest('SHA-256', buffer)))) };
      },
    },
  ],
};

const smallHash = {
  title: 'sha256 of one buffer of 64 bytes, alone',
  unit: 'µs',
  better: 'less',
  note: 'What not to use a pool for.',
  context: () => Buffer.alloc(64, 'x'),
  rivals: [
    {
      name: 'rust-workers',
      open: ({ context: bytes }) => open(1, (pool) => () => latency(500, () => pool.run('sha256', bytes)))(),
    },
    {
      name: 'crypto.createHash',
      open: ({ context: bytes }) => {
        const { createHash } = require('node:crypto');
        return { round: () => latency(500, () => createHash('sha256').update(bytes).digest()) };
      },
    },
  ],
};

const transferred = {
  title: 'sorting a million random doubles, given away and back',
  unit: 'ms',
  better: 'less',
  rounds: ROUNDS,
  note: 'With the way to the thread and back; the array is transferred, so no copy.',
  context: () => randomDoubles(MILLION).plain,
  rivals: [
    {
      name: 'rust-workers',
      open: ({ context: source }) =>
        open(1, (pool) => () => {
          const numbers = source.slice();
          return millis(() => pool.run('sort', numbers, { transfer: [numbers.buffer] }));
        })(),
    },
    {
      name: 'Float64Array.prototype.sort, blocking',
      open: ({ context: source }) => ({
        round: () => {
          const numbers = source.slice();
          return millis(() => numbers.sort());
        },
      }),
    },
  ],
};

const contests = [
  besideWorker('fibonacci(38), one thread', 'fibonacci', 38),
  besideWorker('sumSqrt(3), a million square roots, one thread', 'sumSqrt', 3, {
    "rust-workers, order: 'sequential'": { n: 3, order: 'sequential' },
  }),
  sorting(MILLION, 15),
  sorting(10 * MILLION, 5),
  transferred,
  reading('sum', 'sum of 10 million doubles', doubles, [
    ["rust-workers, one thread, order: 'sequential'", 1, undefined, { order: 'sequential' }],
  ]),
  reading('histogram', 'histogram of 10 million bytes', randomBytes),
  hashing,
  smallHash,
];

module.exports = { title: 'Native tasks that compute', contests };
