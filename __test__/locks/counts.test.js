'use strict';

// Semaphore, Condvar, Barrier.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Barrier, Condvar, Mutex, Semaphore, errors } = require('../..');
const { thread } = require('../support/thread');
const { until } = require('../support/until');
const { arrivedAt, codeOf, untilGrantsAreDelivered, waitersOf } = require('./support');

test('a semaphore never lets in more than it has permits, over threads and both forms', async () => {
  const semaphore = new Semaphore(2, { max: 2 });
  const inside = new Int32Array(new SharedArrayBuffer(8));
  const data = { semaphore, inside, count: 2000 };
  const sync = `
    const semaphore = Semaphore.from(data.semaphore);
    for (let i = 0; i < data.count; i++) {
      const guard = semaphore.acquireSync();
      const now = Atomics.add(data.inside, 0, 1) + 1;
      if (now > 2) tell(now);
      Atomics.add(data.inside, 1, 1);
      Atomics.sub(data.inside, 0, 1);
      guard.release();
    }`;
  const promised = sync.replace('semaphore.acquireSync', 'await semaphore.acquire');
  const told = await Promise.all([sync, sync, promised, promised].map((body) => thread(body, data).ended));
  assert.deepEqual(told.flat(), []);
  assert.deepEqual([...inside], [0, 4 * data.count]);
  assert.equal(semaphore.available, 2);
  assert.equal(waitersOf(semaphore), 0);
});

test('permits: many at once, no more than the maximum, in the order of asking', async () => {
  const semaphore = new Semaphore(3, { max: 4 });
  const two = semaphore.acquireSync(2);
  assert.equal(semaphore.available, 1);
  assert.equal(semaphore.tryAcquire(2), null);
  const order = [];
  const three = semaphore.acquire(3).then((guard) => (order.push(3), guard.release()));
  const one = semaphore.acquire(1).then((guard) => (order.push(1), guard.release()));
  // There is one, and somebody who wants three waits for it.
  assert.equal(semaphore.tryAcquire(), null);
  two.release();
  await Promise.all([three, one]);
  assert.deepEqual(order, [3, 1]);
  assert.equal(semaphore.available, 3);
  semaphore.release();
  assert.equal(await codeOf(() => semaphore.release()), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(await codeOf(() => semaphore.acquire(5)), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(await codeOf(() => semaphore.acquireSync(0)), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(semaphore.available, 4);
});

test('a semaphore: time limit and signal', async () => {
  const semaphore = new Semaphore(0);
  assert.equal(await codeOf(() => semaphore.acquireSync(1, { timeout: 20 })), 'ERR_RW_LOCK_TIMEOUT');
  assert.equal(await codeOf(() => semaphore.acquire(1, { timeout: 20 })), 'ERR_RW_LOCK_TIMEOUT');
  assert.equal(await codeOf(() => semaphore.acquire(1, { signal: AbortSignal.timeout(20) })), 'ERR_RW_LOCK_ABORTED');
  semaphore.release();
  semaphore.acquireSync().release();
  assert.equal(semaphore.available, 1);
});

test('a condition variable: producers and consumers, no wake-up lost', async () => {
  const data = {
    mutex: new Mutex(),
    full: new Condvar(),
    empty: new Condvar(),
    // How many are in the store, how many were made, how many were taken.
    cells: new Int32Array(new SharedArrayBuffer(12)),
    count: 3000,
  };
  const open = `
    const mutex = Mutex.from(data.mutex), full = Condvar.from(data.full), empty = Condvar.from(data.empty);
    const cells = data.cells;`;
  const producer = `${open}
    for (let i = 0; i < data.count; i++) {
      const guard = mutex.lockSync();
      while (cells[0] === 2) full.waitSync(guard);
      cells[0]++;
      cells[1]++;
      empty.notifyOne();
      guard.release();
    }`;
  const consumer = `${open}
    for (let i = 0; i < data.count; i++) {
      const guard = mutex.lockSync();
      while (cells[0] === 0) empty.waitSync(guard);
      cells[0]--;
      cells[2]++;
      guard.release();
      full.notifyOne();
    }`;
  const promised = (body) =>
    body.replace('mutex.lockSync', 'await mutex.lock').replace(/(full|empty).waitSync/, 'await $1.wait');
  const bodies = [producer, consumer, promised(producer), promised(consumer)];
  await Promise.all(bodies.map((body) => thread(body, data).ended));
  assert.deepEqual([...data.cells], [0, 2 * data.count, 2 * data.count]);
});

test('a condition variable: the mutex is free during the wait and held after it, whatever ends it', async () => {
  const mutex = new Mutex();
  const condvar = new Condvar();
  const guard = await mutex.lock();
  const waiting = condvar.wait(guard);
  assert.equal(guard.held, false);
  const other = mutex.lockSync();
  assert.equal(condvar.notifyAll(), 1);
  await untilGrantsAreDelivered();
  assert.equal(guard.held, false);
  other.release();
  assert.equal(await waiting, true);
  assert.equal(guard.held, true);

  assert.equal(await condvar.wait(guard, { timeout: 10 }), false);
  assert.equal(condvar.waitSync(guard, { timeout: 10 }), false);
  assert.equal(guard.held, true);
  const stop = AbortSignal.timeout(10);
  assert.equal(await codeOf(() => condvar.wait(guard, { signal: stop })), 'ERR_RW_LOCK_ABORTED');
  assert.equal(await codeOf(() => condvar.wait(guard, { signal: stop })), 'ERR_RW_LOCK_ABORTED');
  assert.equal(guard.held, true);
  assert.equal(mutex.tryLock(), null);
  guard.release();
  assert.equal(condvar.notifyOne(), 0);
  assert.equal(await codeOf(() => condvar.waitSync(guard)), 'ERR_RW_LOCK_NOT_HELD');
  assert.equal(await codeOf(() => condvar.wait(new Semaphore(1).tryAcquire())), 'ERR_RW_INVALID_ARG_TYPE');
});

test('a condition variable: notifyOne wakes the longest waiter, notifyAll the rest', async () => {
  const mutex = new Mutex();
  const condvar = new Condvar();
  const woken = [];
  const waits = [];
  for (const number of [0, 1, 2]) {
    const guard = await mutex.lock();
    waits.push(condvar.wait(guard).then(() => (woken.push(number), guard.release())));
  }
  assert.equal(condvar.notifyOne(), 1);
  await waits[0];
  assert.deepEqual(woken, [0]);
  assert.equal(condvar.notifyAll(), 2);
  await Promise.all(waits);
  assert.deepEqual(woken, [0, 1, 2]);
});

test('a condition variable: who waits when the lock is poisoned meanwhile gets the error, not the lock', async () => {
  const mutex = new Mutex();
  const condvar = new Condvar();
  const guard = mutex.lockSync();
  const waiting = condvar.wait(guard);
  await thread('Mutex.from(data).lockSync();', mutex).ended;
  condvar.notifyOne();
  await assert.rejects(waiting, errors.LockPoisonedError);
  assert.equal(guard.held, false);
});

test('a barrier: nobody passes before all have come, round after round, with one leader each', async () => {
  const rounds = 300;
  const data = { barrier: new Barrier(4), come: new Int32Array(new SharedArrayBuffer(8)), rounds };
  const sync = `
    const barrier = Barrier.from(data.barrier);
    let [leader, early] = [0, 0];
    for (let round = 1; round <= data.rounds; round++) {
      Atomics.add(data.come, 0, 1);
      if (barrier.waitSync().leader) leader++;
      if (Atomics.load(data.come, 0) < 4 * round) early++;
    }
    tell([leader, early]);`;
  const promised = sync.replace('barrier.waitSync()', '(await barrier.wait())');
  const told = await Promise.all([sync, sync, promised, promised].map((body) => thread(body, data).ended));
  assert.equal(told.flat(2).length, 8);
  assert.equal(told.reduce((sum, [[leader]]) => sum + leader, 0), rounds);
  assert.equal(told.reduce((sum, [[, early]]) => sum + early, 0), 0);
});

test('a barrier: who gives up breaks it; reset() mends it', async () => {
  const barrier = new Barrier(3);
  assert.equal(barrier.parties, 3);
  const waiting = assert.rejects(barrier.wait(), errors.BarrierBrokenError);
  assert.equal(await codeOf(() => barrier.waitSync({ timeout: 20 })), 'ERR_RW_LOCK_TIMEOUT');
  await waiting;
  assert.equal(await codeOf(() => barrier.wait()), 'ERR_RW_BARRIER_BROKEN');
  barrier.reset();
  const again = assert.rejects(barrier.wait(), errors.BarrierBrokenError);
  await until(() => arrivedAt(barrier) === 1, 'one has come');
  barrier.abort();
  await again;
  barrier.reset();
  const all = await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()]);
  assert.deepEqual(all.map(({ leader }) => leader), [false, false, true]);
  assert.equal(await codeOf(() => barrier.wait({ signal: AbortSignal.abort() })), 'ERR_RW_LOCK_ABORTED');
  assert.equal(barrier.broken, false);
});
