'use strict';

// A task under way shows in process.getActiveResourcesInfo(), under a name of ours.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Mutex, WorkerPool } = require('rust-workers');
const { Gate, busyPool, holdWorker, script, using } = require('./support/pools');

/** How many of our names are shown. */
const shown = (name) => process.getActiveResourcesInfo().filter((one) => one === name).length;

test('native tasks: those that run and those that wait, until they have ended', async () => {
  assert.equal(shown('RustWorkersTask'), 0);
  const { pool, blocker, free } = await busyPool();
  assert.equal(shown('RustWorkersTask'), 1);
  const others = [pool.run('echo', 1), pool.run('echo', 2, { priority: 1 })];
  assert.equal(shown('RustWorkersTask'), 3);
  // What does not keep the process alive is not shown, as with handles of Node's.
  pool.unref();
  assert.equal(shown('RustWorkersTask'), 0);
  pool.ref();
  assert.equal(shown('RustWorkersTask'), 3);
  free();
  await Promise.allSettled([blocker, ...others]);
  assert.equal(shown('RustWorkersTask'), 0);
  await pool.close();
});

test("tasks of a script, and what Node shows beside them", async () => {
  await using(new WorkerPool(script('held.js'), 1), async (pool) => {
    const { task, open } = await holdWorker(pool);
    const gate = new Gate();
    const waits = pool.run('held', gate.cells);
    assert.equal(shown('RustWorkersTask'), 2);
    const timer = setTimeout(() => {}, 60_000);
    assert.ok(shown('Timeout') >= 1);
    clearTimeout(timer);
    gate.open();
    open();
    await Promise.all([task, waits]);
    assert.equal(shown('RustWorkersTask'), 0);
  });
});

test('promises of locks', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  const waits = mutex.lock();
  assert.equal(shown('RustWorkersLock'), 1);
  guard.release();
  (await waits).release();
  assert.equal(shown('RustWorkersLock'), 0);
});
