'use strict';

// The same error for many tasks in a row, with others between: each promise gets its own, and Node hears of a rejection only where
// nobody handles it.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { quietly, runProgram } = require('../support/child');
const { busyPool } = require('../support/pools');
const { createRandom } = require('../support/random-values');

/** Task, input, and what comes of it: a code and a part of its message, or a value. */
const KINDS = [
  ['echo', () => 7, { value: 7 }],
  ['echo', () => ({ a: [1, 'x'] }), { value: { a: [1, 'x'] } }],
  ['fibonacci', () => 'three', { code: 'ERR_RW_INVALID_INPUT', message: /fibonacci/ }],
  ['fibonacci', () => -1, { code: 'ERR_RW_OUT_OF_RANGE', message: /fibonacci/ }],
  ['primes', () => 'three', { code: 'ERR_RW_INVALID_INPUT', message: /primes/ }],
  ['echo', () => Buffer.from('bytes'), { value: Buffer.from('bytes') }],
];

test('errors in a row, and values out of band between them, in random order', async () => {
  const pick = createRandom(20261126);
  const pool = new WorkerPool({ maxThreads: 1 });
  for (let round = 0; round < 20; round++) {
    const stop = new AbortController();
    const runs = [];
    for (let left = pick(300); left > 0; ) {
      const kind = KINDS[pick(KINDS.length)];
      for (let inRow = 1 + pick(5); inRow > 0; inRow--, left--) {
        const [task, input] = kind;
        // Of a task that its signal has ended the answer is passed over.
        const options = pick(4) === 0 ? { signal: stop.signal } : undefined;
        runs.push({ kind, options, promise: pool.run(task, input(), options) });
      }
    }
    const settled = Promise.allSettled(runs.map(({ promise }) => promise));
    if (pick(2) === 0) stop.abort();
    const outcomes = await settled;
    outcomes.forEach(({ value, reason }, i) => {
      const { kind: [task, , expected], options } = runs[i];
      if (options !== undefined && reason?.name === 'AbortError') return;
      if (expected.code === undefined) return assert.deepEqual(value, expected.value);
      assert.equal(reason.code, expected.code);
      assert.match(reason.message, expected.message);
      assert.equal(reason.task, task);
    });
  }
  await pool.close();
});

test('where a pool is destroyed, a task of each kind gets the error with its own name', async () => {
  const { pool } = await busyPool();
  const tasks = ['echo', 'fibonacci', 'echo', 'primes', 'echo'];
  const plain = tasks.map((task) => pool.run(task, 1));
  const withSignal = tasks.map((task) => pool.run(task, 1, { signal: new AbortController().signal }));
  const settled = Promise.allSettled([...plain, ...withSignal]);
  await pool.destroy();
  (await settled).forEach(({ reason }, i) => {
    assert.equal(reason.code, 'ERR_RW_POOL_CLOSED');
    assert.equal(reason.task, tasks[i % tasks.length]);
  });
});

test('Node is told of a rejection that nobody handles, once, and of no other', async () => {
  const result = await runProgram(process.execPath, async ({ load, say }) => {
    const { WorkerPool } = load();
    process.on('unhandledRejection', (error) => say('unhandled', error.code));
    process.on('rejectionHandled', () => say('handled later'));
    const pool = new WorkerPool({ maxThreads: 1 });
    const ignore = () => {};
    pool.run('sleep', 3_600_000).catch(ignore);
    const handled = Array.from({ length: 100 }, () => pool.run('echo', 1).catch(ignore));
    pool.run('echo', 2);
    handled.push(pool.run('fibonacci', 'three').catch(ignore));
    await pool.destroy();
    await Promise.all(handled);
  });
  assert.deepEqual(result, quietly('unhandled ERR_RW_POOL_CLOSED'));
});
