'use strict';

// Tasks whose promise nothing can settle are rejected; those whose promise anything can settle are not.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { MessageChannel, Mutex, WorkerPool } = require('../..');
const { inTime } = require('../support/until');
const { script, using } = require('../support/pools');

const unsettled = script('unsettled.mjs');

const SETTLE_BY_THEMSELVES =
  ['timer', 'timerUnref', 'signalOfTime', 'waitAsync', 'worker', 'workerUnref', 'nested', 'imported'];
const NEVER_SETTLE = ['hang', 'hangLater'];

const neverSettles = { code: 'ERR_RW_TASK_FAILED', message: /^The task returned a promise that nothing can settle: / };

const POOLS = {
  'a task at a time': { maxThreads: 12 },
  'several tasks at a time': { maxThreads: 3, concurrentTasksPerWorker: 8 },
  'workers that wait in place': { maxThreads: 12, wait: 'block', idleTimeout: 100 },
  'workers that linger': { maxThreads: 12, linger: 1 },
};

for (const [how, options] of Object.entries(POOLS)) {
  test(`${how}: what nothing can settle is rejected, and nothing else is`, () =>
    using(new WorkerPool(unsettled, options), async (pool) => {
      const stop = new AbortController();
      const { port1, port2 } = new MessageChannel();
      const mutex = new Mutex();
      const guard = await mutex.lock();
      const never = NEVER_SETTLE.map((name) => assert.rejects(pool.run(name), neverSettles));
      const settling = SETTLE_BY_THEMSELVES.map(async (name) => assert.equal(await pool.run(name), 'ok', name));
      const settled = [
        pool.run('lock', mutex).then((value) => assert.equal(value, 'ok')),
        pool.run('receive', port1, { transfer: [port1] }).then((value) => assert.equal(value, 'told')),
        assert.rejects(pool.run('untilAborted', 0, { signal: stop.signal }), { name: 'AbortError' }),
      ];
      await inTime(Promise.all(settling), 'those settle that do so by themselves');
      guard.release();
      port2.postMessage('told');
      stop.abort();
      await inTime(Promise.all(settled), 'those settle that others settle');
      await inTime(Promise.all(never), 'what nothing can settle is given up');
      assert.equal(await pool.run('echo', 1), 1, 'the pool goes on');
      port2.close();
    }));
}

test('a task that another one can settle is left alone', () =>
  using(new WorkerPool(unsettled, { maxThreads: 1, concurrentTasksPerWorker: 3 }), async (pool) => {
    const waiting = pool.run('untilReleased');
    await assert.rejects(pool.run('hang'), neverSettles);
    assert.equal(await Promise.all([waiting, pool.run('release')]).then(([value]) => value), 'ok');
    assert.equal(pool.stats().workers, 1);
  }));

test('a pool closes all the same, also with a map', async () => {
  const pool = new WorkerPool(unsettled, { maxThreads: 2 });
  const all = [pool.run('hang'), pool.map('hang', [1, 2])].map((promise) => assert.rejects(promise, neverSettles));
  const closed = once(pool, 'close');
  await pool.close();
  await Promise.all([...all, closed]);
});

test("a script's own listeners of 'beforeExit' hear nothing of tasks that take long and end", async () => {
  const source = `
    let heard = 0;
    process.on('beforeExit', () => heard++);
    export const long = () => new Promise((resolve) => setTimeout(resolve, 2500));
    export const count = () => heard;`;
  await using(new WorkerPool(new URL(`data:text/javascript,${encodeURIComponent(source)}`), 1), async (pool) => {
    await pool.run('long');
    await pool.run('long');
    assert.equal(await pool.run('count'), 0);
  });
});
