'use strict';

// Counters: what was submitted is what was completed, failed and cancelled, whatever became of it; and what the others say.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { SharedBuffer, WorkerPool } = require('rust-workers');
const { script: scriptPath } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { until } = require('../support/until');

/** Asserts that everything is accounted for. */
function addsUp(pool) {
  const { submitted, completed, failed, cancelled, running, queueSize } = pool.stats();
  assert.equal(completed + failed + cancelled, submitted, JSON.stringify(pool.stats()));
  assert.deepEqual([running, queueSize], [0, 0]);
  return { submitted, completed, failed, cancelled };
}

test('a task stopped while it runs, or waits, counts as cancelled', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const stop = new AbortController();
  const runs = [
    pool.run('sleep', 60_000, { signal: stop.signal }),
    pool.run('sleep', 60_000, { signal: stop.signal }),
    pool.run('sleep', 60_000, { timeout: 10 }),
    pool.run('panic', 'p'),
    pool.run('echo', 1),
  ].map((run) => run.catch(() => {}));
  await until(() => pool.stats().running === 1, 'one runs');
  stop.abort();
  await Promise.all(runs);
  await pool.close();
  assert.deepEqual(addsUp(pool), { submitted: 5, completed: 1, failed: 1, cancelled: 3 });
});

test('a task that does not look whether it should stop is cancelled all the same', async () => {
  // Taking in so many objects has no checkpoint.
  const input = Array(300_000).fill({ a: 'x' });
  await until(async () => {
    const pool = new WorkerPool({ maxThreads: 1 });
    const stop = new AbortController();
    const run = pool.run('noop', input, { signal: stop.signal });
    await until(() => pool.stats().running === 1 || pool.stats().completed === 1, 'it runs');
    const wasRunning = pool.stats().running === 1;
    stop.abort();
    await run.catch(({ name }) => assert.equal(name, 'AbortError'));
    await pool.close();
    const { completed, cancelled } = addsUp(pool);
    if (wasRunning) assert.deepEqual([completed, cancelled], [0, 1]);
    return wasRunning;
  }, 'it is aborted while it runs');
});

test('inputs of a map that failed, was aborted, timed out or could not be read are all counted', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  const inputs = Array.from({ length: 10_000 }, (_, n) => (n === 4_000 ? -1 : 5));
  await assert.rejects(pool.map('fibonacci', inputs), { code: 'ERR_RW_OUT_OF_RANGE' });
  const stop = new AbortController();
  const aborted = pool.map('sleep', Array(1_000).fill(100), { signal: stop.signal });
  const late = pool.map('sleep', Array(1_000).fill(100), { timeout: 20 });
  await until(() => pool.stats().running === 2, 'they run');
  stop.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  await assert.rejects(late, { name: 'TimeoutError' });
  await pool.close();
  const { submitted, failed } = addsUp(pool);
  assert.equal(submitted, 12_000);
  assert.equal(failed, 1);
});

test('a pool destroyed in the middle of everything adds up', async () => {
  for (let round = 0; round < 20; round++) {
    const pool = new WorkerPool({ maxThreads: 2 });
    const runs = [];
    for (let n = 0; n < 50; n++) runs.push(pool.run('sleep', n % 3), pool.map('sleep', Array(20).fill(1)));
    // Any moment will do.
    await after(round % 5);
    await Promise.all([pool.destroy(), ...runs.map((run) => run.catch(() => {}))]);
    assert.equal(addsUp(pool).submitted, 50 * 21);
  }
});

test('random programs add up, and agree with what the promises say', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`SEED=${seed}`);
  const below = createRandom(seed);
  for (let round = 0; round < 30; round++) {
    const pool = new WorkerPool({ maxThreads: 1 + below(3), maxQueue: below(3) === 0 ? below(20) : Infinity });
    const signals = [new AbortController(), new AbortController()];
    const told = { completed: 0, stopped: 0, failed: 0 };
    const runs = [];
    for (let n = 0; n < 150; n++) {
      const options = {};
      if (below(3) === 0) options.signal = signals[below(2)].signal;
      if (below(4) === 0) options.timeout = below(6);
      if (below(4) === 0) options.priority = below(3) - 1;
      const kind = below(5);
      const count = kind < 3 ? 1 : 1 + below(30);
      const run =
        kind === 0 ? pool.run('echo', { n }, options)
        : kind === 1 ? pool.run('sleep', below(3), options)
        : kind === 2 ? pool.run('panic', 'p', options)
        : kind === 3 ? pool.map('echo', Array(count).fill('x'), options)
        : pool.map('sleep', Array(count).fill(0.2), options);
      runs.push(run.then(() => (told.completed += count), (error) => {
        if (error.code === 'ERR_RW_TASK_PANICKED') told.failed++;
        else told.stopped++;
      }));
      if (below(40) === 0) signals[below(2)].abort();
      if (below(10) === 0) await after(below(2));
    }
    await (below(2) ? pool.close() : pool.destroy());
    await Promise.all(runs);
    const { submitted, completed, failed } = addsUp(pool);
    assert.ok(submitted > 0);
    assert.ok(completed >= told.completed, `${completed} completed, ${told.completed} told`);
    assert.ok(failed >= told.failed);
  }
});

test('what has its answer neither runs nor waits: running, queueSize and the limit', async () => {
  const pool = new WorkerPool({ maxThreads: 2, maxQueue: 0 });
  for (let n = 0; n < 500; n++) {
    assert.equal(await pool.run('echo', n), n);
    const { running, queueSize, completed } = pool.stats();
    assert.deepEqual([running, queueSize, completed], [0, 0, 3 * n + 1]);
    assert.deepEqual(await Promise.all([pool.run('echo', { n }), pool.run('echo', 2)]), [{ n }, 2]);
    assert.deepEqual([pool.stats().running, pool.queueSize], [0, 0]);
  }
  for (let n = 0; n < 200; n++) {
    await pool.map('echo', Array.from({ length: 1 + (n % 7) }, (_, i) => `${i}`));
    assert.deepEqual([pool.stats().running, pool.queueSize], [0, 0]);
    await assert.rejects(pool.map('fibonacci', [1, -1, 1, 1]), { code: 'ERR_RW_OUT_OF_RANGE' });
    assert.deepEqual([pool.stats().running, pool.queueSize], [0, 0]);
  }
  await pool.close();
});

test('a task that others help with is one task', async () => {
  const pool = new WorkerPool({ maxThreads: 3 });
  const shared = new SharedBuffer(64 * 1024 * 1024);
  let most = 0;
  // Until it has been seen at work.
  await until(async () => {
    let done = false;
    const run = pool.run('blake3', shared, { parallel: true }).finally(() => (done = true));
    while (!done) {
      most = Math.max(most, pool.stats().running);
      await new Promise(setImmediate);
    }
    await run;
    return most > 0;
  }, 'the task runs');
  assert.equal(most, 1);
  await pool.close();
  addsUp(pool);
});

test('runTime and utilization count the task under way; utilization is of the threads there may be', async () => {
  const made = performance.now();
  const pool = new WorkerPool({ maxThreads: 4 });
  const stop = new AbortController();
  const run = pool.run('sleep', 60_000, { signal: stop.signal });
  await until(() => pool.stats().runTime > 100 && pool.stats().utilization > 0.2, 'the task under way counts');
  const { runTime, utilization } = pool.stats();
  assert.ok(runTime <= performance.now() - made, `${runTime} ms`);
  assert.ok(utilization <= 0.25, `${utilization}`);
  stop.abort();
  await assert.rejects(run, { name: 'AbortError' });
  await pool.close();
});

test('utilization of a pool with a script: its workers, and native threads once it has had some', async () => {
  const pool = new WorkerPool(scriptPath('mapping.js'), { maxThreads: 1, concurrentTasksPerWorker: 1 });
  await pool.run('same', 1);
  const began = performance.now();
  const { runTime: before } = pool.stats();
  await Promise.all([pool.run('wait', 300), pool.run('native:sleep', 300)]);
  const { runTime, utilization } = pool.stats();
  const passed = performance.now() - began;
  assert.ok(runTime - before > 500, `${runTime - before} ms of two threads`);
  assert.ok(utilization <= (runTime / (2 * passed)) * 1.01, `${utilization}`);
  await pool.close();
});
