'use strict';

// Stopping tasks, waiting, limits, and the life of workers.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { WorkerPool, errors, task } = require('rust-workers');
const { evaluate, quietly, runNode } = require('../support/child');
const { Gate, holdWorker, script, using } = require('../support/pools');
const { assertPromised, timeOf } = require('../support/promised-time');
const { block, blockUntil, until } = require('../support/until');

const functions = script('functions.js');
const withPool = (options, body) => using(new WorkerPool(functions, options), body);
/** For what a task says of itself (functions.js). */
const twoCells = () => new Int32Array(new SharedArrayBuffer(8));

test('task.cancelled becomes true inside a synchronous loop, and costs no worker', () =>
  withPool({ maxThreads: 1, killTimeout: 10_000 }, async (pool) => {
    const thread = await pool.run('thread');
    const cells = twoCells();
    const stop = new AbortController();
    const run = pool.run('spinUntilCancelled', { cells }, { signal: stop.signal });
    const rejected = assert.rejects(run, { code: 'ERR_RW_TASK_CANCELLED' });
    await until(() => Atomics.load(cells, 1) === 1, 'the loop has begun');
    stop.abort();
    await rejected;
    assert.equal(await pool.run('thread'), thread);
    assert.equal(Atomics.load(cells, 0), 1);
  }));

test('each task that is to stop has killTimeout for it, whatever others have had before', () =>
  withPool({ maxThreads: 1, killTimeout: 2_000 }, async (pool) => {
    const thread = await pool.run('thread');
    const stopped = async (cells, time, at = 0) => {
      const stop = new AbortController();
      const rejected = assert.rejects(pool.run('spinOn', { cells, time }, { signal: stop.signal }), { code: 'ERR_RW_TASK_CANCELLED' });
      await until(() => Atomics.load(cells, 1) === 1 && performance.now() >= at, 'the loop has begun, and it is time');
      stop.abort();
      await rejected;
    };
    await stopped(twoCells(), 0);
    const first = performance.now();
    // It is to stop shortly before the time of the first is up, and does shortly after.
    const cells = twoCells();
    await stopped(cells, 300, first + 1_850);
    assert.equal(await pool.run('thread'), thread);
    assert.equal(Atomics.load(cells, 0), 1);
  }));

test('a time limit reaches into the loop, also by throwIfCancelled', () =>
  withPool({ maxThreads: 1, killTimeout: 10_000 }, async (pool) => {
    const thread = await pool.run('thread');
    await assert.rejects(pool.run('throwIfCancelled', 0, { timeout: 50 }), errors.TaskTimeoutError);
    // It would not end by itself; ended after `killTimeout`, it would have taken its thread along.
    assert.equal(await pool.run('thread'), thread);
  }));

test('task.signal aborts with the reason', () =>
  withPool({ maxThreads: 1, killTimeout: 10_000 }, async (pool) => {
    const cells = twoCells();
    await pool.runTask('has started');
    await until(async () => {
      await assert.rejects(pool.run('untilAborted', { cells }, { timeout: 100 }), errors.TaskTimeoutError);
      await pool.runTask(0);
      return Atomics.load(cells, 1) === 1;
    }, 'the task begins before its time is up');
    assert.equal(Atomics.load(cells, 0), 2);
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
    const { task: busy, open } = await holdWorker(pool);
    const runs = [1, 5, 3].map((priority) => pool.runTask(priority, { priority }).then((done) => order.push(done)));
    open();
    await Promise.all([busy, ...runs]);
    assert.deepEqual(order, [5, 3, 1]);
  }));

test('one limit for native and script tasks', () =>
  withPool({ maxThreads: 1, maxQueue: 1 }, async (pool) => {
    const stop = new AbortController();
    const gate = new Gate();
    const both = [pool.run('held', gate.cells), pool.run('sleep', 60_000, { signal: stop.signal })];
    await until(() => pool.stats().running === 2, 'both run');
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
    gate.open();
    assert.equal(await waiting, 'waits');
    await drained;
    stop.abort();
    await Promise.allSettled(both);
  }));

test('a worker that waits for tasks keeps its timers running; one that blocks lets them through', async () => {
  for (const [wait, least] of [['event', 20], ['block', 2]]) {
    await withPool({ maxThreads: 1, wait }, async (pool) => {
      const ticks = twoCells();
      await pool.run('tick', ticks);
      // Beside this thread's own.
      let own = 0;
      const timer = setInterval(() => own++, 1);
      await until(() => own >= 150, 'ticks of this thread');
      clearInterval(timer);
      const seen = Atomics.load(ticks, 0);
      assert.ok(seen >= least, `${seen} ticks beside ${own} of this thread with wait: '${wait}'`);
    });
  }
});

test('a long queue of tasks lets the timers of its worker through', () =>
  withPool({ maxThreads: 1 }, async (pool) => {
    const ticks = twoCells();
    await pool.run('tick', ticks);
    // 30 tasks of 10 ms each, all in the queue from the start: after each of them the timer is due.
    await Promise.all(Array.from({ length: 30 }, () => pool.run('spin', { time: 10 })));
    const seen = Atomics.load(ticks, 0);
    assert.ok(seen >= 10, `${seen} ticks of a timer in 30 tasks`);
  }));

test('a worker that blocks is ended within 100 ms', async () => {
  const destroyed = async (wait) => {
    const pool = new WorkerPool(functions, { maxThreads: 2, minThreads: 2, wait });
    await Promise.all([pool.runTask(1), pool.runTask(2)]);
    await until(() => pool.stats().idleWorkers === 2, 'both wait');
    return timeOf(() => pool.destroy());
  };
  await assertPromised(100, () => destroyed('block'), () => destroyed('event'));
});

test('workers come with the work and go when idle, down to minThreads', () =>
  withPool({ maxThreads: 3, minThreads: 1, idleTimeout: 60 }, async (pool) => {
    assert.equal(pool.stats().workers, 1, 'minThreads are started at once');
    let created = 0;
    pool.on('workerCreate', () => created++);
    await Promise.all(Array.from({ length: 6 }, (_, index) => pool.run('countSlowly', { index, time: 100 })));
    assert.equal(created, 3, 'the first is told of too, as it can be listened to before');
    await until(() => pool.stats().workers === 1, 'the others go');
    assert.equal(await pool.runTask('still there'), 'still there');
    // As long as it took them to go; a pool without a minimum is left by its worker meanwhile.
    const other = new WorkerPool(functions, { maxThreads: 1, idleTimeout: 60 });
    await other.runTask(1);
    await until(() => other.stats().workers === 0, 'the worker of another pool goes');
    await other.close();
    assert.equal(pool.stats().workers, 1);
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
  const pool = new WorkerPool(functions, { maxThreads: 1, minThreads: 1, killTimeout: Infinity });
  await pool.runTask(0);
  const runs = [pool.run('spinForever'), pool.runTask(1), pool.runTask(2)];
  await until(() => pool.stats().running === 1, 'one runs');
  const order = [];
  const outcomes = Promise.allSettled(runs).then((all) => (order.push('settled'), all));
  const destroyed = pool.destroy().then(() => order.push('destroyed'));
  for (const { reason } of await outcomes) assert.equal(reason.code, 'ERR_RW_POOL_CLOSED');
  await destroyed;
  assert.deepEqual(order, ['settled', 'destroyed']);
});

test('a pool that never had work closes, while its workers still start', async () => {
  const pool = new WorkerPool(functions, 2);
  await pool.close();
  const lazy = new WorkerPool(functions, { maxThreads: 2 });
  await lazy.close();
  assert.deepEqual([pool, lazy].map((one) => one.stats().workers), [0, 0]);
});

test('an idle pool does not keep the process alive; a busy one does', async () => {
  const idle = `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool(${JSON.stringify(functions)}, 2);
    pool.runTask('done').then(console.log);`;
  assert.deepEqual(await evaluate(idle), { stdout: 'done\n', stderr: '' });
  const busy = `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool(${JSON.stringify(functions)}, { maxThreads: 1 });
    pool.run('countSlowly', { index: 3, time: 300 }).then(console.log);`;
  assert.deepEqual(await evaluate(busy), { stdout: '3\n', stderr: '' });
});

test('process.exit in the middle of everything', async () => {
  const code = `
    const { WorkerPool } = require('rust-workers');
    const pool = new WorkerPool(${JSON.stringify(functions)}, { maxThreads: 2, wait: 'block' });
    for (let i = 0; i < 1000; i++) pool.runTask(i);
    pool.runTask(0).then(() => process.exit(5));`;
  assert.deepEqual(await runNode(['-e', code]), { ...quietly(), code: 5 });
});

test('a pool within a worker of a pool', async () => {
  const pool = new WorkerPool(script('nested.js'), 1);
  assert.deepEqual(await pool.runTask([1, 2, 3]), [2, 4, 6]);
  await pool.close();
});

test('a task whose time is up before it ends is rejected, whatever it comes to, and however busy its owner is', async () => {
  const pool = new WorkerPool(script('late.js'), 1);
  await pool.run('same', 1);
  let count = 0;
  for (const name of ['half', 'own', 'shared']) {
    for (const busy of [0, 60]) {
      const runs = [pool.run(name, undefined, { timeout: 25 }), pool.map(name, [undefined], { timeout: 25 })];
      block(busy);
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
  const late = new WorkerPool(script('late.js'), 1);
  const native = new WorkerPool({ maxThreads: 1 });
  await Promise.all([late.run('same', 1), native.run('noop')]);
  // Tasks that were cancelled in an earlier round count too: on a busy machine there may be some.
  const ended = () => [late, native].reduce((sum, pool) => sum + pool.stats().completed + pool.stats().cancelled, 0);
  let inTime = 0;
  await until(async () => {
    const before = ended();
    const round = inTime;
    const began = performance.now();
    const runs = [
      late.run('same', { round }, { timeout: 1_000 }), late.run('same', { round }, { timeout: 40 }),
      native.run('echo', { round }, { timeout: 40 }),
    ];
    blockUntil(() => ended() === before + 3, 'they have ended');
    const took = performance.now() - began;
    block(60);
    // The loop looks at its timers first.
    setTimeout(() => {}, 0);
    const outcomes = await Promise.allSettled(runs);
    // Where others keep the machine busy they may take longer than their limit.
    if (took > 35) return false;
    assert.deepEqual(outcomes, Array(3).fill({ status: 'fulfilled', value: { round } }));
    return ++inTime === 10;
  }, 'ten rounds in time');
  await Promise.all([late.close(), native.close()]);
});

test('idle workers above minThreads end, those that block while they wait too', async () => {
  for (const wait of ['event', 'block']) {
    await withPool({ minThreads: 1, maxThreads: 3, idleTimeout: 50, wait }, async (pool) => {
      const gates = [new Gate(), new Gate(), new Gate()];
      const held = gates.map((gate) => pool.run('held', gate.cells));
      await until(() => gates.every((gate) => gate.begun === 1), 'all are at work');
      for (const gate of gates) gate.open();
      await Promise.all(held);
      await until(() => pool.workers.length === 1, 'those that are too many have ended');
      // And not while it has tasks again and again.
      assert.equal(await pool.run('add', { a: 1, b: 2 }), 3);
    });
  }
});
