'use strict';

// Tasks that fail, and workers that end: only their own task is lost, and nothing is run twice.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after: afterAll, test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { WorkerPool, errors } = require('rust-workers');
const { script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const functions = script('functions.js');

// An idle pool does not keep the process alive, and its events do not come then.
const alive = setInterval(() => {}, 1_000);
afterAll(() => clearInterval(alive));

test('what a function throws arrives whole', () =>
  using(new WorkerPool(functions, 1), async (pool) => {
    await assert.rejects(pool.run('throwError'), (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.name, 'ScriptError');
      assert.equal(error.message, 'of the script');
      assert.equal(error.code, 'E_SCRIPT');
      assert.deepEqual(error.details, { list: [1, 2, { deep: true }] });
      assert.ok(error.cause instanceof RangeError);
      assert.match(error.stack, /functions\.js/);
      assert.equal(error.handler, '[Function (anonymous)]', 'a function cannot cross, and hides nothing else');
      return true;
    });
    await assert.rejects(pool.run('throwType'), TypeError);
    await assert.rejects(pool.run('reject', { plain: 'object' }), (error) => {
      assert.deepEqual(error, { plain: 'object' });
      return true;
    });
    assert.equal(pool.stats().workers, 1, 'an error costs no worker');
    assert.equal(pool.stats().failed, 3);
  }));

const ends = {
  'throws outside of its task': {
    run: (pool) => pool.run('throwLater'),
    check: (error) => {
      assert.equal(error.message, 'later');
      assert.match(error.stack, /functions\.js/);
    },
  },
  'calls process.exit(7)': {
    run: (pool) => pool.run('exit', { index: 100, code: 7 }),
    check: (error) => {
      assert.ok(error instanceof errors.WorkerExitedError);
      assert.equal(error.code, 'ERR_RW_WORKER_EXITED');
      assert.equal(error.exitCode, 7);
    },
  },
  'runs out of memory': {
    options: { resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } },
    run: (pool) => pool.run('exhaust', { index: 100 }),
    check: (error) => {
      assert.ok(error instanceof errors.WorkerOutOfMemoryError);
      assert.equal(error.code, 'ERR_RW_WORKER_OUT_OF_MEMORY');
      assert.equal(error.cause.code, 'ERR_WORKER_OUT_OF_MEMORY');
    },
  },
  'does not stop when its time is up': {
    options: { killTimeout: 50 },
    run: (pool) => pool.run('spinForever', { index: 100 }, { timeout: 100 }),
    check: (error) => assert.ok(error instanceof errors.TaskTimeoutError),
  },
  'does not stop when it is aborted': {
    options: { killTimeout: 0 },
    run: (pool, begun) => {
      const stop = new AbortController();
      const doomed = pool.run('spinForever', { index: 100 }, { signal: stop.signal });
      const hasBegun = until(() => Atomics.load(new Int32Array(begun), 100) === 1, 'the task has begun');
      return hasBegun.then(() => stop.abort(new Error('enough'))).then(() => doomed);
    },
    check: (error) => {
      assert.ok(error instanceof errors.TaskCancelledError);
      assert.equal(error.cause.message, 'enough');
    },
  },
};
for (const [how, { options, run, check }] of Object.entries(ends)) {
  for (const concurrentTasksPerWorker of [1, 3]) {
    test(`a worker ${how}, with 100 others in the queue, ${concurrentTasksPerWorker} at a time`, async () => {
      const begun = new SharedArrayBuffer(4 * 101);
      const pool = new WorkerPool(functions, {
        maxThreads: 2, minThreads: 2, workerData: { begun }, concurrentTasksPerWorker, ...options,
      });
      const early = Array.from({ length: 50 }, (_, index) => pool.run('count', { index }));
      const doomed = run(pool, begun);
      const late = Array.from({ length: 50 }, (_, i) => pool.run('count', { index: 50 + i }));
      const outcome = await doomed.then(
        () => assert.fail('it must fail'),
        (error) => error,
      );
      check(outcome);
      const answers = await Promise.all([...early, ...late]);
      assert.deepEqual(answers, Array.from({ length: 100 }, (_, index) => index));
      const counts = [...new Int32Array(begun)];
      assert.deepEqual(counts.slice(0, 100), new Array(100).fill(1), 'each was run once');
      assert.ok(counts[100] <= 1);
      await pool.close();
      const { queueSize, running } = pool.stats();
      assert.deepEqual({ queueSize, running }, { queueSize: 0, running: 0 });
    });
  }
}

test('a killed worker loses only the task that was to be killed, also among several', async () => {
  const pool = new WorkerPool(functions, { maxThreads: 1, concurrentTasksPerWorker: 3, killTimeout: 200 });
  await pool.runTask(0);
  const stop = new AbortController();
  // It never ends, but leaves the event loop free.
  const hanging = pool.run('countSlowly', { index: 0, time: 60_000 }, { signal: stop.signal });
  const others = [1, 2].map((index) => pool.run('countSlowly', { index, time: 300 }));
  const rejected = assert.rejects(hanging, { name: 'AbortError' });
  // Alone: what may have to be stopped shares its worker with nothing.
  await until(() => pool.stats().running === 1, 'it runs');
  stop.abort();
  await rejected;
  assert.deepEqual(await Promise.all(others), [1, 2]);
  assert.equal(await pool.runTask('new worker'), 'new worker');
  await pool.close();
});

test('a script that cannot be loaded: its own error, for all who wait, and no endless respawn', async () => {
  const pool = new WorkerPool(script('broken.js'), { maxThreads: 2 });
  let created = 0;
  pool.on('workerCreate', () => created++);
  const runs = Array.from({ length: 20 }, (_, i) => pool.runTask(i));
  for (const run of runs) {
    await assert.rejects(run, (error) => {
      assert.ok(error instanceof errors.ScriptLoadError);
      assert.equal(error.code, 'ERR_RW_SCRIPT_LOAD');
      assert.match(error.message, /broken\.js.*not today/s);
      assert.equal(error.cause.code, 'E_LOAD');
      return true;
    });
  }
  // Meanwhile other workers start with it, and die.
  const other = new WorkerPool(script('broken.js'), { maxThreads: 1 });
  for (let round = 0; round < 2; round++) await assert.rejects(other.runTask(round), errors.ScriptLoadError);
  await other.close();
  assert.ok(created <= 2, `${created} workers were started`);
  await pool.close();
});

test('a script that is not there: told to who waits, or as an event', async () => {
  const pool = new WorkerPool(script('nowhere.js'), { maxThreads: 1 });
  await assert.rejects(pool.runTask(1), /nowhere\.js/);
  await pool.close();
  const eager = new WorkerPool(script('nowhere.js'), 1);
  const [error] = await once(eager, 'error');
  assert.equal(error.code, 'ERR_RW_SCRIPT_LOAD');
  await eager.close();
});

test('a script whose workers all die young is given up', async () => {
  const pool = new WorkerPool(script('short-lived.js'), 1);
  pool.on('error', () => {});
  let created = 0;
  pool.on('workerCreate', () => created++);
  const runs = Array.from({ length: 10 }, () => pool.runTask(0));
  const outcomes = await Promise.allSettled(runs);
  for (const { status, reason } of outcomes) {
    assert.equal(status, 'rejected');
    assert.equal(reason.message, 'a timer of the script');
  }
  assert.ok(created <= 11, `${created} workers were started: one, and one for each that died`);
  await pool.destroy();
});

test('an idle worker that dies is told of by an event, and replaced', async () => {
  const pool = new WorkerPool(functions, 1);
  assert.equal(await pool.runTask(1), 1);
  const failed = once(pool, 'error');
  await pool.run('throwWhenIdle');
  // A pool that only its own listener has, and no worker that starts, may be collected: the limit has this one too.
  const [error] = await inTime(failed, 'the error of the worker');
  assert.equal(error.message, 'when idle');
  assert.equal(await pool.runTask(2), 2);
  await pool.close();
});

test('recycling after so many tasks, at an age, and by memory', async () => {
  const byTasks = new WorkerPool(functions, { maxThreads: 1, recycle: { afterTasks: 5 } });
  const threads = [];
  for (let i = 0; i < 12; i++) threads.push(await byTasks.run('thread'));
  const lives = new Map();
  for (const thread of threads) lives.set(thread, (lives.get(thread) ?? 0) + 1);
  assert.deepEqual([...lives.values()], [5, 5, 2]);
  await byTasks.close();

  const byAge = new WorkerPool(functions, { maxThreads: 1, recycle: { afterMs: 40 } });
  const first = await byAge.run('thread');
  await after(60);
  await byAge.run('thread');
  assert.notEqual(await byAge.run('thread'), first);
  await byAge.close();

  const byMemory = new WorkerPool(functions, { maxThreads: 1, recycle: { maxMemoryMb: 40 } });
  const seen = new Set();
  // Each keeps what it is told to.
  await until(async () => seen.add(await byMemory.run('hoard', 1_000_000)).size > 1, 'a worker that grew is replaced');
  await byMemory.close();
});
