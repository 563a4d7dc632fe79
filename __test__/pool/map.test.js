'use strict';

// pool.map: many inputs, one promise, results in order.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { until } = require('../support/until');

const pool = new WorkerPool({ maxThreads: 2 });
test.after(() => pool.close());

test('numbers, in order, many of them', async () => {
  const inputs = Array.from({ length: 50_000 }, (_, n) => n);
  assert.deepEqual(await pool.map('echo', inputs), inputs);
});

test('values of every kind, from any iterable', async () => {
  const inputs = ['a', 2, { three: [3] }, null, Buffer.from('4'), new Float32Array([5])];
  assert.deepEqual(await pool.map('echo', inputs), inputs);
  assert.deepEqual(await pool.map('echo', new Set(['x', 'y'])), ['x', 'y']);
  const generator = (function* () {
    yield* [1, 'two'];
  })();
  assert.deepEqual(await pool.map('echo', generator), [1, 'two']);
  assert.deepEqual(await pool.map('echo', []), []);
});

test('hashes of many buffers, small and large', async () => {
  const inputs = Array.from({ length: 200 }, (_, n) => Buffer.alloc(n * 100, String(n)));
  const digests = await pool.map('sha256', inputs);
  digests.forEach((digest, n) => {
    assert.equal(digest.toString('hex'), createHash('sha256').update(inputs[n]).digest('hex'));
  });
});

test('the first failing input rejects with its index, and the rest is given up', async () => {
  const inputs = Array.from({ length: 100_000 }, (_, n) => (n === 40 ? -1 : 1));
  await assert.rejects(pool.map('fibonacci', inputs), (error) => {
    assert.equal(error.code, 'ERR_RW_OUT_OF_RANGE');
    assert.match(error.message, /^input 40: task 'fibonacci' takes/);
    return true;
  });
});

test('a signal or a time limit ends the whole batch', async () => {
  const stop = new AbortController();
  const run = pool.map('sleep', Array(1000).fill(1_000), { signal: stop.signal });
  await until(() => pool.stats().running === 2, 'it runs');
  stop.abort();
  await assert.rejects(run, { name: 'AbortError' });
  await assert.rejects(pool.map('sleep', Array(1000).fill(1_000), { timeout: 20 }), { name: 'TimeoutError' });
  assert.equal(await pool.run('fibonacci', 10), 55);
});

test('an async iterable is read only as fast as it is worked off', async () => {
  let most = 0;
  async function* source() {
    for (let n = 0; n < 200; n++) {
      const { submitted, completed } = pool.stats();
      most = Math.max(most, submitted - completed - before);
      yield n;
    }
  }
  const { submitted, completed } = pool.stats();
  const before = submitted - completed;
  const results = await pool.map('echo', source());
  assert.deepEqual(results, Array.from({ length: 200 }, (_, n) => n));
  assert.ok(most > 0 && most <= 2 * 4, `${most} under way`);
});

test('an async iterable: a failing input stops the reading and closes the source', async () => {
  let closed = false;
  async function* source() {
    try {
      for (let n = 0; ; n++) yield n === 5 ? -1 : 1;
    } finally {
      closed = true;
    }
  }
  await assert.rejects(pool.map('fibonacci', source()), { code: 'ERR_RW_OUT_OF_RANGE' });
  assert.equal(closed, true);
});

test('an async iterable that throws rejects with its error', async () => {
  const own = new Error('own');
  async function* source() {
    yield 1;
    throw own;
  }
  await assert.rejects(pool.map('echo', source()), own);
});

test('bad arguments', async () => {
  await assert.rejects(pool.map('echo', 5), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await assert.rejects(pool.map('echo', 'letters'), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await assert.rejects(pool.map('nope', [1]), { code: 'ERR_RW_UNKNOWN_TASK' });
  await assert.rejects(pool.map('echo', [1, () => {}]), /inputs\[1\]/);
});
