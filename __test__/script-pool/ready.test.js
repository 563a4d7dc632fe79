'use strict';

// `pool.ready`: a promise of what the pool keeps, or of one worker.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { notes } = require('../fixtures/scripts/hooks-behaviour');
const { script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

function poolOf(file, hooks, options) {
  const cells = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const pool = new WorkerPool(script(file), { maxThreads: 3, ...options, workerData: { cells, ...hooks } });
  return { pool, noted: () => notes(cells) };
}

const count = (noted, event) => noted().filter((noticed) => noticed === event).length;

test('a pool without a script is ready', async () => {
  for (const options of [{}, { minThreads: 1, maxThreads: 2 }]) {
    await using(new WorkerPool(options), async (pool) => assert.equal(await pool.ready, undefined));
  }
});

for (const file of ['hooks.js', 'hooks.mjs']) {
  test(`${file}: all workers that are kept are loaded and set up`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'async' }, { minThreads: 2 });
    await using(pool, async () => {
      assert.equal(await inTime(pool.ready, 'ready'), undefined);
      assert.equal(count(noted, 'set up'), 2);
      assert.equal(pool.stats().workers, 2);
    });
  });

  test(`${file}: a pool that keeps none starts one`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'async' });
    await using(pool, async () => {
      assert.equal(pool.stats().workers, 0);
      await inTime(pool.ready, 'ready');
      assert.equal(count(noted, 'set up'), 1);
      assert.equal(pool.ready, pool.ready, 'one promise for all that ask');
      await pool.ready;
      assert.equal(count(noted, 'loaded'), 1);
    });
  });

  test(`${file}: it is rejected when one of those that are kept cannot be set up, and asked for again it tries again`, async () => {
    const { pool } = poolOf(file, { setup: 'rejects' }, { minThreads: 2 });
    pool.on('error', () => {});
    const { ready } = pool;
    await assert.rejects(inTime(ready, 'ready'), { code: 'ERR_RW_SCRIPT_LOAD' });
    const again = pool.ready;
    assert.notEqual(again, ready);
    await assert.rejects(inTime(again, 'ready'), errors.ScriptLoadError);
    await pool.destroy();
  });

  test(`${file}: close() and destroy() before it is ready, and after`, async () => {
    for (const end of ['close', 'destroy']) {
      const { pool } = poolOf(file, { setup: 'async' }, { minThreads: 2 });
      const { ready } = pool;
      const closed = pool[end]();
      await assert.rejects(ready, { code: 'ERR_RW_POOL_CLOSED', message: /before its workers were ready$/ });
      await assert.rejects(pool.ready, errors.PoolClosedError);
      await inTime(closed, 'the pool closes');
      await assert.rejects(pool.ready, errors.PoolClosedError);
      const other = poolOf(file, { setup: 'async' });
      await other.pool.ready;
      await other.pool[end]();
      await other.pool.ready;
    }
  });
}

test('a script that does not load: nobody has to listen to the promise', async () => {
  const pool = new WorkerPool(script('broken.js'), 1);
  pool.on('error', () => {});
  // An unhandled rejection would fail this test.
  void pool.ready;
  await assert.rejects(pool.ready, (error) => {
    assert.ok(error instanceof errors.ScriptLoadError);
    assert.ok(error.cause instanceof Error);
    return true;
  });
  await turns(3);
  await pool.destroy();
});

test('ready keeps no idle pool and no event loop alive, and a worker that is replaced does not undo it', async () => {
  const { pool, noted } = poolOf('hooks.js', { setup: 'plain' }, { maxThreads: 1 });
  await using(pool, async () => {
    await pool.ready;
    await assert.rejects(pool.run('exit', 4), errors.WorkerExitedError);
    await pool.ready;
    assert.equal(await pool.run('echo', 3), 3);
    await until(() => count(noted, 'set up') === 2, 'the next worker');
  });
});
