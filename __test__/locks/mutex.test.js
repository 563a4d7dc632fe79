'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { Mutex, Semaphore, errors } = require('../..');
const { assertPromised, timeOf } = require('../support/promised-time');
const { thread } = require('../support/thread');
const { until } = require('../support/until');
const { codeOf, isContended } = require('./support');

test('a counter that is not atomic is exact over threads, blocking and asynchronous', async () => {
  const mutex = new Mutex();
  const counter = new Float64Array(new SharedArrayBuffer(8));
  const data = { mutex, counter, count: 20_000 };
  const blocking = `
    const mutex = Mutex.from(data.mutex);
    for (let i = 0; i < data.count; i++) {
      const guard = mutex.lockSync();
      data.counter[0] += 1;
      guard.release();
    }`;
  const asynchronous = `
    const mutex = Mutex.from(data.mutex);
    for (let i = 0; i < data.count; i++) {
      const guard = await mutex.lock();
      data.counter[0] += 1;
      mutex.unlock();
    }`;
  await Promise.all([blocking, blocking, asynchronous, asynchronous].map((body) => thread(body, data).ended));
  assert.equal(counter[0], 4 * data.count);
});

test('promises of one thread get the lock in their order, one at a time', async () => {
  const mutex = new Mutex();
  const order = [];
  let inside = 0;
  await Promise.all(
    [0, 1, 2, 3, 4].map(async (number) => {
      const guard = await mutex.lock();
      assert.equal(++inside, 1);
      await new Promise(setImmediate);
      order.push(number);
      inside--;
      guard.release();
    }),
  );
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});

test('a guard releases once, and disposing it again is no mistake', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  assert.equal(guard.held, true);
  assert.equal(mutex.tryLock(), null);
  guard[Symbol.dispose]();
  assert.equal(guard.held, false);
  guard[Symbol.dispose]();
  assert.equal(await codeOf(() => guard.release()), 'ERR_RW_LOCK_NOT_HELD');
  const next = mutex.tryLock();
  assert.equal(next.held, true);
  // A stale guard cannot release what somebody else holds.
  guard[Symbol.dispose]();
  assert.equal(mutex.tryLock(), null);
  mutex.unlock();
  assert.equal(next.held, false);
  assert.equal(await codeOf(() => mutex.unlock()), 'ERR_RW_LOCK_NOT_HELD');
});

test('who did not lock it may not unlock it', async () => {
  const mutex = new Mutex();
  mutex.lockSync();
  assert.equal(await codeOf(() => Mutex.from(mutex).unlock()), 'ERR_RW_LOCK_NOT_HELD');
  const other = thread(
    'try { Mutex.from(data).unlock(); } catch (error) { tell(error.code); }',
    mutex,
  );
  assert.deepEqual(await other.ended, ['ERR_RW_LOCK_NOT_HELD']);
  assert.equal(mutex.tryLock(), null);
});

test('a thread that would block on itself is told so', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  assert.throws(() => mutex.lockSync(), errors.LockDeadlockError);
  guard.release();
  mutex.lockSync().release();
});

test('a thread that sleeps behind a promise of its own is told so', async () => {
  const mutex = new Mutex();
  // By time: while this thread sleeps it can tell the holder nothing.
  const holder = thread(
    `const guard = Mutex.from(data).lockSync();
     tell(1);
     await new Promise((resolve) => setTimeout(resolve, 120));
     guard.release();`,
    mutex,
  );
  await holder.heard();
  const promised = mutex.lock();
  assert.ok(isContended(mutex));
  assert.throws(() => mutex.lockSync(), errors.LockDeadlockError);
  (await promised).release();
  await holder.ended;
  mutex.lockSync().release();
});

test('a time limit ends both forms of waiting, and the lock is as it was', async () => {
  const mutex = new Mutex();
  const holder = thread('const guard = Mutex.from(data).lockSync(); tell(1); await told(); guard.release();', mutex);
  await holder.heard();
  for (const wait of [(timeout) => mutex.lockSync({ timeout }), (timeout) => mutex.lock({ timeout })]) {
    await assertPromised(
      // A slice of a wait is 50 ms, and no limit waits for the end of one.
      49,
      async () => {
        const took = await timeOf(() =>
          assert.rejects(async () => wait(40), { code: 'ERR_RW_LOCK_TIMEOUT', name: 'TimeoutError' }));
        assert.ok(took >= 38, `${took} ms`);
        return took;
      },
      () => timeOf(() => after(40)),
    );
  }
  assert.equal(await codeOf(() => mutex.lockSync({ timeout: 0 })), 'ERR_RW_LOCK_TIMEOUT');
  holder.tell();
  (await mutex.lock({ timeout: 5000 })).release();
  await holder.ended;
});

test('a signal ends the wait of a promise; a lock that is free is refused to an aborted one', async () => {
  const mutex = new Mutex();
  const guard = await mutex.lock();
  const stop = new AbortController();
  const waiting = mutex.lock({ signal: stop.signal });
  await until(() => isContended(mutex), 'it waits');
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, (error) => {
    assert.equal(error.code, 'ERR_RW_LOCK_ABORTED');
    assert.equal(error.name, 'AbortError');
    assert.equal(error.cause.message, 'enough');
    return true;
  });
  guard.release();
  assert.equal(await codeOf(() => mutex.lock({ signal: stop.signal })), 'ERR_RW_LOCK_ABORTED');
  mutex.tryLock().release();
});

test('who gave up in the middle of the queue does not hold those behind up', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  const stop = new AbortController();
  const first = mutex.lock({ signal: stop.signal });
  const second = mutex.lock();
  stop.abort();
  await assert.rejects(first, { code: 'ERR_RW_LOCK_ABORTED' });
  guard.release();
  (await second).release();
});

test('a sleeper beside threads that lock all the time gets its turn', async () => {
  const mutex = new Mutex();
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const greedy = `
    const mutex = Mutex.from(data.mutex);
    tell(1);
    while (Atomics.load(data.stop, 0) === 0) {
      const guard = mutex.lockSync();
      for (let i = 0; i < 1000; i++) Atomics.load(data.stop, 0);
      guard.release();
    }`;
  const threads = [thread(greedy, { mutex, stop }), thread(greedy, { mutex, stop })];
  await Promise.all(threads.map((one) => one.heard()));
  for (let i = 0; i < 20; i++) mutex.lockSync({ timeout: 5000 }).release();
  for (let i = 0; i < 20; i++) (await mutex.lock({ timeout: 5000 })).release();
  Atomics.store(stop, 0, 1);
  await Promise.all(threads.map((one) => one.ended));
});

test('wrong options are refused before anything is locked', async () => {
  const mutex = new Mutex();
  for (const timeout of [-1, NaN, '5', 2 ** 31]) {
    const code = typeof timeout === 'string' ? 'ERR_RW_INVALID_ARG_TYPE' : 'ERR_RW_OUT_OF_RANGE';
    assert.equal(await codeOf(() => mutex.lockSync({ timeout })), code);
    assert.equal(await codeOf(() => mutex.lock({ timeout })), code);
  }
  assert.equal(await codeOf(() => mutex.lock({ signal: 1 })), 'ERR_RW_INVALID_ARG_TYPE');
  assert.equal(await codeOf(() => mutex.lock(5)), 'ERR_RW_INVALID_ARG_TYPE');
  assert.equal(await codeOf(() => new Mutex(new SharedArrayBuffer(16))), 'ERR_RW_INVALID_ARG_TYPE');
  mutex.lockSync({ timeout: Infinity }).release();
});

// Of a RwLock this cannot be said: a writer takes it in several steps.
test('what fails because the stack is used up has taken no lock', () => {
  const takers = [
    [() => new Mutex(), (lock) => lock.tryLock()], [() => new Mutex(), (lock) => lock.lockSync()],
    [() => new Semaphore(1), (lock) => lock.tryAcquire()], [() => new Semaphore(1), (lock) => lock.acquireSync()],
  ];
  let failed = 0;
  for (const [make, take] of takers) {
    for (let round = 0; round < 60; round++) {
      const lock = make();
      let guard;
      const dig = () => {
        try {
          dig();
        } catch {
          // As deep as it goes.
        }
        if (guard) return;
        try {
          guard = take(lock);
        } catch {
          failed++;
        }
      };
      const from = (levels) => (levels > 0 ? from(levels - 1) : dig());
      from(round % 30);
      guard?.release();
      const again = (lock.tryLock ?? lock.tryAcquire).call(lock);
      assert.ok(again !== null, `${lock.constructor.name} in round ${round}`);
      again.release();
    }
  }
  assert.ok(failed > 0);
});
