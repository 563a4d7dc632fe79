'use strict';

// The list of workers with what each has done, and their replacement by hand.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { notes } = require('../fixtures/scripts/hooks-behaviour');
const { holdWorker, script, using } = require('../support/pools');
const { blockUntil, inTime, until } = require('../support/until');

function poolOf(file, hooks, options) {
  const cells = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const pool = new WorkerPool(script(file), { maxThreads: 2, ...options, workerData: { cells, ...hooks } });
  return { pool, noted: () => notes(cells) };
}

const statesOf = (pool) => pool.workers.map(({ state }) => state);
const isEverywhere = (pool, state) => until(() => statesOf(pool).every((now) => now === state), state);

test('a pool without a script has no workers', () =>
  using(new WorkerPool({ maxThreads: 1 }), async (pool) => {
    await pool.run('echo', 1);
    assert.deepEqual(pool.workers, []);
    await pool.recycle();
    await assert.rejects(pool.recycle(0), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /There is no worker 0\. No worker lives/ });
  }));

for (const file of ['hooks.js', 'hooks.mjs']) {
  test(`${file}: what the list tells`, async () => {
    const { pool } = poolOf(file, {}, { maxThreads: 1 });
    await using(pool, async () => {
      assert.deepEqual(pool.workers, []);
      const thread = await pool.run('thread');
      await isEverywhere(pool, 'idle');
      const [worker, ...others] = pool.workers;
      assert.deepEqual(others, []);
      const { age, utilization, ...rest } = worker;
      assert.deepEqual(rest, { id: 0, threadId: thread, state: 'idle', tasks: 1, running: 0 });
      assert.ok(age > 0 && Number.isFinite(age));
      assert.ok(utilization > 0 && utilization <= 1, `${utilization}`);
      for (let i = 0; i < 9; i++) await pool.run('echo', i);
      assert.equal(pool.workers[0].tasks, 10);
      assert.ok(pool.workers[0].age > age);
    });
    assert.deepEqual(pool.workers, []);
  });

  test(`${file}: the states of a worker`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'async', teardown: 'never' }, { maxThreads: 1, shutdownTimeout: 100 });
    const held = holdWorker(pool);
    assert.deepEqual(statesOf(pool), ['starting']);
    // Its end is not told before this thread's event loop has its turn.
    blockUntil(() => noted().includes('setup'), 'setup runs');
    assert.deepEqual(statesOf(pool), ['starting']);
    const { task, open } = await held;
    await isEverywhere(pool, 'busy');
    assert.equal(pool.workers[0].running, 1);
    open();
    await task;
    await isEverywhere(pool, 'idle');
    const recycled = pool.recycle(0);
    assert.deepEqual(statesOf(pool), ['ending']);
    await inTime(recycled, 'its teardown is ended');
    await pool.destroy();
    assert.deepEqual(pool.workers, []);
  });

  test(`${file}: the tasks of all workers add up`, async () => {
    const { pool } = poolOf(file, {}, { maxThreads: 2, concurrentTasksPerWorker: 3 });
    await using(pool, async () => {
      await Promise.all(Array.from({ length: 100 }, (_, n) => pool.run(n % 2 ? 'echo' : 'later', 1)));
      assert.equal(pool.workers.reduce((sum, { tasks }) => sum + tasks, 0), 100);
      assert.deepEqual(pool.workers.map(({ id }) => id), pool.workers.map((_, n) => n));
    });
  });

  test(`${file}: lastError: what onError has dealt with; and what the worker before has ended with`, async () => {
    const kept = poolOf(file, { onError: 'keeps' }, { maxThreads: 1 });
    await using(kept.pool, async (pool) => {
      await pool.run('failLater');
      await until(() => pool.workers[0].lastError !== undefined, 'it is told');
      assert.ok(pool.workers[0].lastError instanceof RangeError);
      await pool.recycle();
      await pool.run('echo', 1);
      assert.ok(!('lastError' in pool.workers[0]));
    });
    const ended = poolOf(file, {}, { maxThreads: 1 });
    await using(ended.pool, async (pool) => {
      pool.on('error', () => {});
      // From before: a thread that comes late finds the answer and the end together.
      const destroyed = once(pool, 'workerDestroy');
      await pool.run('failLater');
      await inTime(destroyed, 'the worker ends');
      await pool.run('echo', 1);
      assert.match(pool.workers[0].lastError.message, /after the task/);
    });
  });

  test(`${file}: recycle(id) replaces one worker after its task, and costs none`, async () => {
    const { pool, noted } = poolOf(file, { teardown: 'plain' }, { minThreads: 2 });
    await using(pool, async () => {
      await pool.ready;
      const { task, open } = await holdWorker(pool);
      const before = pool.workers;
      const { id } = before.find(({ state }) => state === 'busy');
      const recycled = pool.recycle(id);
      assert.equal(pool.workers[id].state, 'ending');
      // The other one takes these.
      for (let i = 0; i < 20; i++) assert.equal(await pool.run('thread'), before[1 - id].threadId);
      open();
      await Promise.all([task, inTime(recycled, 'it is replaced')]);
      assert.ok(noted().includes('teardown recycle'));
      await pool.ready;
      await isEverywhere(pool, 'idle');
      const after = pool.workers;
      assert.notEqual(after[id].threadId, before[id].threadId);
      assert.equal(after[1 - id].threadId, before[1 - id].threadId);
    });
  });

  test(`${file}: recycle() replaces all of them, in the middle of a flood, and every task is done once`, async () => {
    const { pool, noted } = poolOf(file, {}, { maxThreads: 2, concurrentTasksPerWorker: 2 });
    await using(pool, async () => {
      const runs = [];
      for (let i = 0; i < 5; i++) {
        for (let n = 0; n < 80; n++) runs.push(pool.run(n % 3 ? 'echo' : 'later', n % 3 ? n : 1));
        await runs[i * 80];
        await until(() => pool.workers.some(({ state }) => state !== 'starting'), 'one has loaded the script');
        await inTime(pool.recycle(), 'they are replaced');
      }
      await Promise.all(runs);
    });
    assert.equal(noted().filter((event) => event === 'task').length, 400);
    assert.ok(noted().filter((event) => event === 'loaded').length > 2);
  });

  test(`${file}: recycle() of a pool that closes or is destroyed meanwhile, and twice`, async () => {
    for (const end of ['close', 'destroy']) {
      const { pool } = poolOf(file, {}, { minThreads: 2 });
      await pool.ready;
      const recycled = [pool.recycle(), pool.recycle(0), pool.recycle()];
      await inTime(Promise.all([pool[end](), ...recycled]), 'all is over');
      await pool.recycle();
    }
  });
}

test('recycle() refuses what is no number of a worker', () =>
  using(new WorkerPool(script('functions.js'), 2), async (pool) => {
    await pool.ready;
    await assert.rejects(pool.recycle(7), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /There is no worker 7\. The workers are 0, 1; see pool\.workers/ });
    for (const id of [-1, 1.5, NaN]) await assert.rejects(pool.recycle(id), errors.OutOfRangeError);
    for (const id of ['0', null, {}]) await assert.rejects(pool.recycle(id), errors.InvalidArgTypeError);
  }));

test('a worker that was recycled by hand loads the script again', () => {
  const fs = require('node:fs');
  const path = require('node:path');
  const file = path.join(fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'rust-workers-')), 'version.js');
  fs.writeFileSync(file, 'module.exports = () => 1;');
  return using(new WorkerPool(file, 1), async (pool) => {
    assert.equal(await pool.runTask(0), 1);
    fs.writeFileSync(file, 'module.exports = () => 2;');
    await pool.recycle();
    assert.equal(await pool.runTask(0), 2);
  }).finally(() => fs.rmSync(path.dirname(file), { recursive: true }));
});
