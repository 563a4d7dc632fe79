'use strict';

// Stopping tasks, waiting, limits, and the life of workers.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { WorkerPool, errors, task } = require('rust-workers');

const functions = path.join(__dirname, '..', 'fixtures', 'scripts', 'functions.js');

async function withPool(options, body) {
  const pool = new WorkerPool(functions, options);
  try {
    return await body(pool);
  } finally {
    await pool.close({ timeout: 5_000 });
  }
}

test('task.cancelled becomes true inside a synchronous loop, and costs no worker', () =>
  withPool({ maxThreads: 1, killTimeout: 10_000 }, async (pool) => {
    const thread = await pool.run('thread');
    const cell = new SharedArrayBuffer(4);
    const stop = new AbortController();
    const run = pool.run('spinUntilCancelled', { cell }, { signal: stop.signal });
    const rejected = assert.rejects(run, { code: 'ERR_RW_TASK_CANCELLED' });
    while (pool.stats().running === 0) await after(1);
    await after(20);
    stop.abort();
    await rejected;
    assert.equal(await pool.run('thread'), thread);
    assert.equal(Atomics.load(new Int32Array(cell), 0), 1);
  }));

test('a time limit reaches into the loop, also by throwIfCancelled', () =>
  withPool({ maxThreads: 1, killTimeout: 10_000 }, async (pool) => {
    const thread = await pool.run('thread');
    const started = performance.now();
    await assert.rejects(pool.run('throwIfCancelled', 0, { timeout: 50 }), errors.TaskTimeoutError);
    assert.equal(await pool.run('thread'), thread);
    assert.ok(performance.now() - started < 5_000);
  }));

test('task.signal aborts with the reason', () =>
  withPool({ maxThreads: 1, killTimeout: 10_000 }, async (pool) => {
    const cell = new SharedArrayBuffer(4);
    await pool.runTask('has started');
    await assert.rejects(pool.run('untilAborted', { cell }, { timeout: 100 }), errors.TaskTimeoutError);
    await pool.runTask(0);
    assert.equal(Atomics.load(new Int32Array(cell), 0), 2);
  }));

test('outside of a task there is none', () => {
  assert.equal(task.cancelled, false);
  assert.equal(task.signal, undefined);
  assert.equal(task.workerId, undefined);
  task.throwIfCancelled();
  task.progress(1);
});

test('a task aborted in the queue is never begun', async () => {
  const begun = new SharedArrayBuffer(4 * 2);
  await withPool({ maxThreads: 1, workerData: { begun } }, async (pool) => {
    const stop = new AbortController();
    const busy = pool.run('countSlowly', { index: 0, time: 100 });
    const queued = pool.run('count', { index: 1 }, { signal: stop.signal });
    assert.ok(pool.queueSize >= 1);
    stop.abort();
    await assert.rejects(queued, { name: 'AbortError' });
    await busy;
    await pool.runTask(0);
    assert.deepEqual([...new Int32Array(begun)], [1, 0]);
  });
});

test('priorities order script tasks', () =>
  withPool(1, async (pool) => {
    await pool.runTask(0);
    const order = [];
    const busy = pool.run('countSlowly', { index: 0, time: 50 });
    while (pool.stats().running === 0) await after(1);
    const runs = [1, 5, 3].map((priority) => pool.runTask(priority, { priority }).then((done) => order.push(done)));
    await Promise.all([busy, ...runs]);
    assert.deepEqual(order, [5, 3, 1]);
  }));

test('one limit for native and script tasks', () =>
  withPool({ maxThreads: 1, maxQueue: 1 }, async (pool) => {
    const stop = new AbortController();
    const both = [
      pool.run('countSlowly', { index: 0, time: 200 }),
      pool.run('sleep', 60_000, { signal: stop.signal }),
    ];
    while (pool.stats().running < 2) await after(1);
    const full = once(pool, 'needsDrain');
    const waiting = pool.runTask('waits');
    await full;
    await assert.rejects(pool.run('fibonacci', 5), errors.QueueFullError);
    await assert.rejects(pool.runTask({ some: 'input' }), (error) => {
      assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
      assert.deepEqual(error.input, { some: 'input' });
      return true;
    });
    const drained = once(pool, 'drain');
    assert.equal(await waiting, 'waits');
    await drained;
    stop.abort();
    await Promise.allSettled(both);
  }));

test('a worker that waits for tasks keeps its timers running; one that blocks lets them through', async () => {
  for (const [wait, least] of [['event', 20], ['block', 2]]) {
    await withPool({ maxThreads: 1, wait }, async (pool) => {
      await pool.run('ticks', { start: true });
      await after(200);
      const ticks = await pool.run('ticks', {});
      assert.ok(ticks >= least, `${ticks} ticks of a timer in 200 ms with wait: '${wait}'`);
    });
  }
});

test('a long queue of tasks lets the timers of its worker through', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    await pool.run('ticks', { start: true });
    // 300 ms of work, all in the queue from the start.
    await Promise.all(Array.from({ length: 30 }, () => pool.run('spin', { time: 10 })));
    const ticks = await pool.run('ticks', {});
    assert.ok(ticks >= 10, `${ticks} ticks of a timer in 300 ms of tasks`);
  }));

test('a worker that blocks is ended within 100 ms', async () => {
  const pool = new WorkerPool(functions, { maxThreads: 2, minThreads: 2, wait: 'block' });
  await Promise.all([pool.runTask(1), pool.runTask(2)]);
  while (pool.stats().idleWorkers < 2) await after(1);
  await after(20);
  const times = [];
  const started = performance.now();
  await pool.destroy();
  times.push(performance.now() - started);
  // Twice the promise, on a machine that others use too.
  assert.ok(times[0] < 200, `took ${times[0]} ms`);
});

test('workers come with the work and go when idle, down to minThreads', () =>
  withPool({ maxThreads: 3, minThreads: 1, idleTimeout: 60 }, async (pool) => {
    assert.equal(pool.stats().workers, 1, 'minThreads are started at once');
    let created = 0;
    pool.on('workerCreate', () => created++);
    await Promise.all(Array.from({ length: 6 }, (_, index) => pool.run('countSlowly', { index, time: 100 })));
    assert.equal(created, 3, 'the first is told of too, as it can be listened to before');
    const until = performance.now() + 5_000;
    while (pool.stats().workers > 1 && performance.now() < until) await after(10);
    assert.equal(pool.stats().workers, 1);
    assert.equal(await pool.runTask('still there'), 'still there');
  }));

test('close finishes what was accepted', async () => {
  const pool = new WorkerPool(functions, 2);
  const runs = Array.from({ length: 20 }, (_, index) => pool.run('countSlowly', { index, time: 5 }));
  await pool.close();
  assert.deepEqual(await Promise.all(runs), Array.from({ length: 20 }, (_, index) => index));
  await assert.rejects(pool.runTask(1), errors.PoolClosedError);
  assert.equal(pool.stats().workers, 0);
});

test('destroy settles everything, at once', async () => {
  const pool = new WorkerPool(functions, 1);
  await pool.runTask(0);
  const runs = [pool.run('spinForever'), pool.runTask(1), pool.runTask(2)];
  while (pool.stats().running === 0) await after(1);
  const started = performance.now();
  const outcomes = Promise.allSettled(runs);
  await pool.destroy();
  for (const { reason } of await outcomes) assert.equal(reason.code, 'ERR_RW_POOL_CLOSED');
  assert.ok(performance.now() - started < 2_000);
});

test('a pool that never had work closes, while its workers still start', async () => {
  const pool = new WorkerPool(functions, 2);
  await pool.close();
  const lazy = new WorkerPool(functions, { maxThreads: 2 });
  await lazy.close();
});

test('an idle pool does not keep the process alive; a busy one does', () => {
  const run = (code) => execFileSync(process.execPath, ['-e', code], { encoding: 'utf8', timeout: 20_000, cwd: path.join(__dirname, '..', '..') });
  const idle = `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool(${JSON.stringify(functions)}, 2);
    pool.runTask('done').then(console.log);`;
  assert.equal(run(idle), 'done\n');
  const busy = `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool(${JSON.stringify(functions)}, { maxThreads: 1 });
    pool.run('countSlowly', { index: 3, time: 300 }).then(console.log);`;
  assert.equal(run(busy), '3\n');
});

test('process.exit in the middle of everything', () => {
  const code = `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool(${JSON.stringify(functions)}, { maxThreads: 2, wait: 'block' });
    for (let i = 0; i < 1000; i++) pool.runTask(i);
    pool.runTask(0).then(() => process.exit(5));`;
  assert.throws(() => execFileSync(process.execPath, ['-e', code], { timeout: 20_000, cwd: path.join(__dirname, '..', '..') }), {
    status: 5,
  });
});

test('a pool within a worker of a pool', async () => {
  const pool = new WorkerPool(path.join(__dirname, '..', 'fixtures', 'scripts', 'nested.js'), 1);
  assert.deepEqual(await pool.runTask([1, 2, 3]), [2, 4, 6]);
  await pool.close();
});

test('a task whose time is up before it ends is rejected, whatever it comes to, and however busy its owner is', async () => {
  const pool = new WorkerPool(path.join(__dirname, '..', 'fixtures', 'scripts', 'late.js'), 1);
  await pool.run('same', 1);
  let count = 0;
  for (const name of ['half', 'own', 'shared']) {
    for (const busy of [0, 60]) {
      const runs = [pool.run(name, undefined, { timeout: 25 }), pool.map(name, [undefined], { timeout: 25 })];
      for (const until = Date.now() + busy; Date.now() < until;);
      for (const run of runs) {
        await assert.rejects(run, { code: 'ERR_RW_TASK_TIMEOUT', message: `task '${name}' took longer than 25 ms` });
        count++;
      }
      // What came beside the queue for nobody is out of the way.
      const cells = new Int32Array(new SharedArrayBuffer(4));
      assert.equal((await pool.run('same', cells)).buffer.byteLength, 4);
    }
  }
  await pool.close();
  const { completed, failed, cancelled } = pool.stats();
  assert.deepEqual({ completed, failed, cancelled }, { completed: 7, failed: 0, cancelled: count });
});

test('a task that ended in time is answered, though its owner was busy beyond the limit', async () => {
  const script = new WorkerPool(path.join(__dirname, '..', 'fixtures', 'scripts', 'late.js'), 1);
  const native = new WorkerPool({ maxThreads: 1 });
  await Promise.all([script.run('same', 1), native.run('noop')]);
  for (let round = 0; round < 10; round++) {
    const told = [];
    const runs = [
      script.run('same', { round }, { timeout: 1_000 }), script.run('same', { round }, { timeout: 40 }),
      native.run('echo', { round }, { timeout: 40 }),
    ];
    for (const until = Date.now() + 60; Date.now() < until;);
    // The loop looks at its timers first.
    setTimeout(() => told.push('timer'), 0);
    assert.deepEqual(await Promise.all(runs), [{ round }, { round }, { round }]);
  }
  await Promise.all([script.close(), native.close()]);
  assert.deepEqual([script.stats().cancelled, native.stats().cancelled], [0, 0]);
});
