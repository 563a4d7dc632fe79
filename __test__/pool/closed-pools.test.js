'use strict';

// What remains of a pool that has closed, and in which order its end is told.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { inTime } = require('../support/until');

test('what is submitted to a closed pool never reaches the next one, whose native handle may be the same', async () => {
  const closed = new WorkerPool({ maxThreads: 1 });
  assert.equal(await closed.run('fibonacci', 10), 55);
  await closed.close();
  const next = new WorkerPool({ maxThreads: 1 });
  const signal = new AbortController().signal;
  await assert.rejects(closed.run('fibonacci', 10), { code: 'ERR_RW_POOL_CLOSED' });
  await assert.rejects(closed.run('noop'), { code: 'ERR_RW_POOL_CLOSED' });
  await assert.rejects(closed.run('echo', 'text', { signal }), { code: 'ERR_RW_POOL_CLOSED' });
  await assert.rejects(closed.map('fibonacci', [1, 2]), { code: 'ERR_RW_POOL_CLOSED' });
  await closed.destroy();
  assert.equal(next.stats().submitted, 0);
  assert.equal(closed.stats().submitted, 1);
  assert.equal(await next.run('fibonacci', 11), 89);
  await next.close();
});

test('destroy() resolves after every promise of the pool has been settled', async () => {
  for (let round = 0; round < 100; round++) {
    const pool = new WorkerPool({ maxThreads: 2 });
    let settled = 0;
    const count = () => settled++;
    for (let i = 0; i < 50; i++) pool.run('sleep', 1).then(count, count);
    pool.map('sleep', [1, 1, 1]).then(count, count);
    const atClose = once(pool, 'close').then(() => settled);
    await pool.destroy();
    assert.equal(settled, 51);
    assert.equal(await inTime(atClose, "the pool's event"), 51);
  }
});
