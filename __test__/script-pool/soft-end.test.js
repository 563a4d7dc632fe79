'use strict';

// Workers are asked to end before they are terminated: destroy() at each stage of a worker's life, and close() before it is ready.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { notes } = require('../fixtures/scripts/hooks-behaviour');
const { script } = require('../support/pools');
const { timeOf } = require('../support/promised-time');
const { blockUntil, inTime, until } = require('../support/until');

function poolOf(file, hooks, options) {
  const cells = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const pool = new WorkerPool(script(file), { maxThreads: 1, ...options, workerData: { cells, ...hooks } });
  return { pool, cells, noted: () => notes(cells) };
}

const has = (noted, event, what = event) => until(() => noted().includes(event), what);

const wasDestroyed = (error) => {
  assert.ok(error instanceof errors.PoolClosedError, `${error?.stack}`);
  assert.match(error.message, /destroyed while the task ran/);
  return true;
};

for (const file of ['hooks.js', 'hooks.mjs']) {
  for (const hooks of [{}, { setup: 'async', teardown: 'async' }]) {
    const kind = Object.keys(hooks).length > 0 ? 'with hooks' : 'without hooks';

    test(`${file}, ${kind}: destroy() leaves a task that never ends behind, at once`, async () => {
      const { pool, noted } = poolOf(file, hooks, { shutdownTimeout: Infinity });
      const run = pool.run('never');
      const rejected = assert.rejects(run, wasDestroyed);
      await has(noted, 'task');
      await inTime(pool.destroy(), 'the pool is destroyed');
      await rejected;
      if (hooks.teardown !== undefined) assert.deepEqual(noted().slice(-2), ['teardown destroy', 'torn down']);
    });

    test(`${file}, ${kind}: destroy() waits for a task that has heard its signal`, async () => {
      const { pool, noted } = poolOf(file, hooks, { shutdownTimeout: Infinity });
      const run = pool.run('untilAborted');
      await has(noted, 'task');
      await inTime(Promise.all([pool.destroy(), run]), 'the pool is destroyed');
      assert.ok(noted().includes('aborted'));
      if (hooks.teardown !== undefined) assert.ok(noted().indexOf('aborted') < noted().indexOf('teardown destroy'));
    });

    test(`${file}, ${kind}: a loop that looks at task.cancelled ends in order`, async () => {
      const { pool, noted } = poolOf(file, hooks, { shutdownTimeout: Infinity });
      const run = pool.run('spinUntilCancelled', 0, { signal: new AbortController().signal });
      await has(noted, 'task');
      await inTime(pool.destroy(), 'the pool is destroyed');
      assert.equal(await run, 'stopped');
      if (hooks.teardown !== undefined) assert.ok(noted().includes('torn down'));
    });

    test(`${file}, ${kind}: a loop that does not end is terminated after shutdownTimeout`, async () => {
      const { pool, noted } = poolOf(file, hooks, { shutdownTimeout: 30 });
      const rejected = assert.rejects(pool.run('spin'), wasDestroyed);
      await has(noted, 'task');
      await inTime(pool.destroy(), 'the pool is destroyed');
      await rejected;
      assert.ok(!noted().includes('torn down'));
    });

    test(`${file}, ${kind}: with shutdownTimeout 0 it is terminated at once`, async () => {
      const { pool, noted } = poolOf(file, hooks, { shutdownTimeout: 0 });
      const rejected = assert.rejects(pool.run('spin'), wasDestroyed);
      await has(noted, 'task');
      await inTime(pool.destroy(), 'the pool is destroyed');
      await rejected;
    });

    test(`${file}, ${kind}: several tasks on a worker`, async () => {
      const { pool, noted } = poolOf(file, hooks, { concurrentTasksPerWorker: 4, shutdownTimeout: Infinity });
      const left = [pool.run('never'), pool.run('later', 1e6)];
      const rejected = Promise.all(left.map((run) => assert.rejects(run, wasDestroyed)));
      const heard = pool.run('untilAborted');
      await until(() => noted().filter((event) => event === 'task').length === 2, 'both run');
      await inTime(Promise.all([pool.destroy(), heard]), 'the pool is destroyed');
      await rejected;
    });
  }

  test(`${file}: destroy() while setup runs: setup hears of it, and nothing is left`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'abortable', teardown: 'plain' }, { shutdownTimeout: Infinity });
    const told = [];
    pool.on('error', (error) => told.push(error));
    const run = pool.run('echo', 1);
    const rejected = assert.rejects(run, errors.PoolClosedError);
    const { ready } = pool;
    await has(noted, 'setup');
    await inTime(pool.destroy(), 'the pool is destroyed');
    await rejected;
    await assert.rejects(ready, errors.PoolClosedError);
    assert.deepEqual(told, []);
    assert.deepEqual(noted(), ['loaded', 'setup', 'aborted']);
  });

  test(`${file}: destroy() while a setup runs that does not hear of it`, async () => {
    for (const way of ['never', 'blocks']) {
      const { pool, noted } = poolOf(file, { setup: way, teardown: 'plain' }, { shutdownTimeout: 30 });
      await Promise.all([assert.rejects(pool.run('echo', 1), errors.PoolClosedError), has(noted, 'setup').then(() => pool.destroy())]);
      assert.deepEqual(noted().filter((event) => event !== 'aborted'), ['loaded', 'setup'], way);
    }
  });

  test(`${file}: destroy() while a setup runs that comes to its end: what was set up is torn down`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'async', teardown: 'async' }, { shutdownTimeout: Infinity });
    const rejected = assert.rejects(pool.run('echo', 1), errors.PoolClosedError);
    await has(noted, 'setup');
    await inTime(pool.destroy(), 'the pool is destroyed');
    await rejected;
    const events = noted().filter((event) => event !== 'aborted');
    // It may have been through with setup, and at the task, before it was told.
    assert.deepEqual(events.filter((event) => event !== 'task'), ['loaded', 'setup', 'set up', 'teardown destroy', 'torn down']);
  });

  test(`${file}: close() while setup runs, and no task waits`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'abortable', teardown: 'plain' }, { minThreads: 1 });
    const told = [];
    pool.on('error', (error) => told.push(error));
    await has(noted, 'setup');
    await inTime(pool.close(), 'the pool closes');
    assert.deepEqual(noted(), ['loaded', 'setup', 'aborted']);
    assert.deepEqual(told, []);
  });

  test(`${file}: close() while a setup runs that never ends`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'never' }, { minThreads: 1, shutdownTimeout: 20 });
    await has(noted, 'setup');
    await inTime(pool.close(), 'the pool closes');
  });

  test(`${file}: close() while setup runs, and a task waits: it is done first`, async () => {
    const { pool, noted } = poolOf(file, { setup: 'async', teardown: 'async' });
    const run = pool.run('echo', 5);
    await has(noted, 'setup');
    await inTime(pool.close(), 'the pool closes');
    assert.equal(await run, 5);
    assert.deepEqual(noted(), ['loaded', 'setup', 'set up', 'task', 'teardown close', 'torn down']);
  });

  test(`${file}: close(), and destroy() while teardown runs`, async () => {
    const { pool, noted } = poolOf(file, { teardown: 'never' }, { shutdownTimeout: 200 });
    await pool.run('echo', 1);
    const closed = pool.close();
    await has(noted, 'teardown close');
    await inTime(Promise.all([pool.destroy(), closed]), 'the pool is destroyed');
  });

  test(`${file}: close() costs no task of a worker that has not told yet that it is ready`, async () => {
    const { pool, noted } = poolOf(file, {});
    const run = pool.run('later', 50);
    // This thread hears nothing meanwhile, and the worker has taken the task.
    blockUntil(() => noted().includes('loaded'), 'the script is loaded');
    blockUntil(() => pool.queueSize === 0, 'the task is taken');
    await inTime(pool.close(), 'the pool closes');
    await run;
    assert.ok(noted().includes('task'));
  });
}

test('a worker that would not end has the whole of shutdownTimeout', async () => {
  for (const file of ['hooks.js', 'hooks.mjs']) {
    const { pool, noted } = poolOf(file, {}, { shutdownTimeout: 300 });
    const rejected = assert.rejects(pool.run('spin'), wasDestroyed);
    await has(noted, 'task');
    const time = await timeOf(() => pool.destroy());
    await rejected;
    // A timer of Node's may be a millisecond early by another clock.
    assert.ok(time >= 298, `${time} ms`);
  }
});
