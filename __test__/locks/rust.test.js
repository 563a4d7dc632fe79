'use strict';

// One lock for JavaScript threads and Rust tasks.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Mutex, WorkerPool } = require('../..');
const { assertPromised, timeOf } = require('../support/promised-time');
const { thread } = require('../support/thread');
const { until } = require('../support/until');
const { codeOf, isContended } = require('./support');

/** Memory with a mutex at 16 and a number at 48, and the input of `lockedAdd` for it. */
function shared() {
  const buffer = new SharedArrayBuffer(64);
  const mutex = Mutex.create(buffer, 16);
  const counter = new Float64Array(buffer, 48, 1);
  return { mutex, counter, input: (count) => ({ memory: buffer, lock: 16, counter: 48, count }) };
}

test('a number that is not atomic is exact over JavaScript threads and Rust tasks', async () => {
  const { mutex, counter, input } = shared();
  const pool = new WorkerPool({ maxThreads: 2 });
  const count = 20_000;
  const adding = `
    const mutex = Mutex.from(data.mutex);
    for (let i = 0; i < data.count; i++) {
      const guard = FORM;
      data.counter[0] += 1;
      guard.release();
    }`;
  const data = { mutex, counter, count };
  const results = await Promise.all([
    pool.run('lockedAdd', input(count)),
    pool.run('lockedAdd', input(count)),
    thread(adding.replace('FORM', 'mutex.lockSync()'), data).ended,
    thread(adding.replace('FORM', 'await mutex.lock()'), data).ended,
  ]);
  assert.equal(counter[0], 4 * count);
  assert.equal(Math.max(results[0], results[1]) <= 4 * count, true);
  await pool.close();
});

test('a Rust task waits for a JavaScript thread, and JavaScript for a Rust task', async () => {
  const { mutex, counter, input } = shared();
  const pool = new WorkerPool({ maxThreads: 1 });
  const guard = mutex.lockSync();
  const adding = pool.run('lockedAdd', input(1));
  await until(() => isContended(mutex), 'the task waits');
  assert.equal(counter[0], 0);
  guard.release();
  assert.equal(await adding, 1);

  const long = pool.run('lockedAdd', input(200_000));
  let mine = 0;
  while (mine < 500) {
    const own = mine % 2 === 0 ? mutex.lockSync() : await mutex.lock();
    counter[0] += 1;
    mine++;
    own.release();
  }
  await long;
  assert.equal(counter[0], 1 + 200_000 + mine);
  await pool.close();
});

test('a Rust task that waits for a lock is stopped by its signal, its time limit and destroy()', async () => {
  const { mutex, counter, input } = shared();
  const pool = new WorkerPool({ maxThreads: 2 });
  const guard = mutex.lockSync();
  assert.equal(await codeOf(() => pool.run('lockedAdd', input(1), { timeout: 30 })), 'ERR_RW_TASK_TIMEOUT');
  const stop = new AbortController();
  const waiting = pool.run('lockedAdd', input(1), { signal: stop.signal });
  await until(() => pool.stats().running === 1 && isContended(mutex), 'the task waits');
  stop.abort();
  assert.equal(await codeOf(() => waiting), 'ERR_RW_TASK_CANCELLED');
  const dropped = pool.run('lockedAdd', input(1)).catch((error) => error.code);
  await until(() => pool.stats().running === 1 && isContended(mutex), 'the task waits');
  await pool.destroy();
  assert.equal(await dropped, 'ERR_RW_POOL_CLOSED');
  guard.release();
  assert.equal(counter[0], 0);
  mutex.lockSync().release();
});

test('a JavaScript thread that dies with the lock: the Rust task gets the error', async () => {
  const { mutex, input } = shared();
  const pool = new WorkerPool({ maxThreads: 1 });
  const owner = thread('Mutex.from(data).lockSync(); tell(1); forever();', mutex);
  await owner.heard();
  const adding = assert.rejects(pool.run('lockedAdd', input(1)), { code: 'ERR_RW_LOCK_POISONED' });
  await until(() => isContended(mutex), 'the task waits');
  await owner.worker.terminate();
  await adding;
  mutex.recover().release();
  assert.equal(await pool.run('lockedAdd', input(1)), 1);
  await pool.close();
});

test('a thread that ends while a Rust task of its pool waits for a lock that the thread holds', async () => {
  const locks = `
    const mutex = Mutex.from(data);
    mutex.lockSync();
    tell(1);
    forever();`;
  const runs = `
    new WorkerPool().run('lockedAdd', { memory: data.buffer, lock: 16, counter: 48, count: 1 });`;
  const ends = async (body) => {
    const { mutex } = shared();
    const own = thread(body, mutex);
    await own.heard();
    if (body.includes(runs)) await until(() => isContended(mutex), 'the task waits');
    const took = await timeOf(() => own.worker.terminate());
    assert.equal(mutex.poisoned, true);
    return took;
  };
  await assertPromised(100, () => ends(`${locks} ${runs}`), () => ends(locks));
});
