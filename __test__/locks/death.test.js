'use strict';

// Owners and waiters that end: the others get an error or go on, never a hang.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { Barrier, Condvar, Mutex, RwLock, Semaphore, errors } = require('../..');
const { assertPromised, timeOf } = require('../support/promised-time');
const { thread } = require('../support/thread');
const { inTime, until } = require('../support/until');
const { arrivedAt, codeOf, isContended, isDraining, waitersOf } = require('./support');

const HOLD_MUTEX = 'Mutex.from(data).lockSync(); tell(1); forever();';

/** The end of a thread's body: it says in `data.busy` that it looks at nothing any more. */
const BUSY = 'Atomics.store(data.busy, 0, 1); for (;;);';
const isBusy = ({ busy }) => Atomics.load(busy, 0) === 1;
const notBusy = () => new Int32Array(new SharedArrayBuffer(4));

test('a mutex whose owner was terminated: who waits, and who comes, gets an error; recover() mends it', async () => {
  const mutex = new Mutex();
  const owner = thread(HOLD_MUTEX, mutex);
  await owner.heard();
  const sleeper = thread(
    'tell(1); try { Mutex.from(data).lockSync(); } catch (error) { tell([error.code, error.constructor.name]); }',
    mutex,
  );
  await until(() => isContended(mutex), 'the sleeper waits');
  const waiting = assert.rejects(mutex.lock(), errors.LockPoisonedError);
  await owner.worker.terminate();
  await waiting;
  assert.deepEqual((await sleeper.ended)[1], ['ERR_RW_LOCK_POISONED', 'LockPoisonedError']);
  assert.equal(mutex.poisoned, true);
  assert.throws(() => mutex.lockSync(), errors.LockPoisonedError);
  assert.throws(() => mutex.tryLock(), errors.LockPoisonedError);
  await assert.rejects(mutex.lock(), errors.LockPoisonedError);
  const guard = mutex.recover();
  assert.equal(mutex.poisoned, false);
  assert.equal(mutex.recover(), null);
  guard.release();
  mutex.lockSync().release();
});

test('a mutex that nobody waited for is found poisoned by the next who comes, also after a natural end', async () => {
  const mutex = new Mutex();
  await thread('Mutex.from(data).lockSync();', mutex).ended;
  assert.equal(await codeOf(() => mutex.lock()), 'ERR_RW_LOCK_POISONED');
  mutex.recover().release();
});

test('a sleeper blocked in lockSync is terminated within 100 ms, and the lock goes on without it', async () => {
  const mutex = new Mutex();
  const sleeps = async (round) => {
    const guard = mutex.lockSync();
    const sleeper = thread('Mutex.from(data).lockSync(); tell(2);', mutex);
    await until(() => isContended(mutex), 'the sleeper waits');
    // At several moments of the slices in which it sleeps.
    await after(11 * round);
    const took = await timeOf(() => sleeper.worker.terminate());
    guard.release();
    assert.equal(mutex.poisoned, false);
    mutex.lockSync().release();
    return took;
  };
  const idles = async () => {
    const idle = thread('tell(1); forever();');
    await idle.heard();
    return timeOf(() => idle.worker.terminate());
  };
  await assertPromised(100, sleeps, idles);
});

test('what was granted to a thread that never saw it is given back unharmed', async () => {
  const data = { mutex: new Mutex(), busy: notBusy() };
  const { mutex } = data;
  const guard = mutex.lockSync();
  // Its promise waits; its thread is busy, so that the grant stays in its event queue.
  const waiter = thread(`Mutex.from(data.mutex).lock(); ${BUSY}`, data);
  await until(() => isBusy(data), 'the thread is busy');
  assert.ok(isContended(mutex));
  guard.release();
  assert.equal(mutex.tryLock(), null);
  await waiter.worker.terminate();
  assert.equal(mutex.poisoned, false);
  mutex.lockSync({ timeout: 1000 }).release();
});

test('those behind a terminated waiter get the lock', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  const first = thread('Mutex.from(data).lock();', mutex);
  await until(() => isContended(mutex), 'the first waits');
  const second = mutex.lock({ timeout: 5000 });
  await first.worker.terminate();
  guard.release();
  (await second).release();
});

test('a pending lock keeps its thread alive until it is had', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  const waiter = thread('tell(1); const guard = await Mutex.from(data).lock(); guard.release(); tell(2);', mutex);
  await until(() => isContended(mutex), 'the thread waits');
  // One that nothing keeps alive comes, and goes.
  await thread('').ended;
  guard.release();
  assert.deepEqual(await waiter.ended, [1, 2]);
});

test('a writer that died poisons a RwLock; a reader that died does not', async () => {
  const lock = new RwLock();
  const reader = thread('RwLock.from(data).readSync(); tell(1); forever();', lock);
  await reader.heard();
  const writing = lock.write();
  assert.equal(lock.tryWrite(), null);
  await reader.worker.terminate();
  (await writing).release();

  const writer = thread('RwLock.from(data).writeSync(); tell(1); forever();', lock);
  await writer.heard();
  const waiting = [lock.read(), lock.write()].map((wait) => assert.rejects(wait, errors.LockPoisonedError));
  await writer.worker.terminate();
  await Promise.all(waiting);
  assert.equal(lock.poisoned, true);
  assert.equal(await codeOf(() => lock.readSync()), 'ERR_RW_LOCK_POISONED');
  assert.equal(await codeOf(() => lock.tryWrite()), 'ERR_RW_LOCK_POISONED');
  lock.recover().release();
  lock.readSync().release();
});

test('a writer that waits behind readers and dies leaves the lock whole', async () => {
  const lock = new RwLock();
  const guard = lock.readSync();
  const writer = thread('RwLock.from(data).writeSync();', lock);
  await until(() => isDraining(lock), 'the writer waits');
  const reading = lock.read();
  await writer.worker.terminate();
  (await inTime(reading, 'the reader behind it')).release();
  guard.release();
  assert.equal(lock.poisoned, false);
  lock.writeSync().release();
});

test('a party that dies while it waits breaks the barrier for the others, until reset()', async () => {
  const barrier = new Barrier(3);
  const party = thread('Barrier.from(data).waitSync();', barrier);
  const waiting = assert.rejects(barrier.wait(), errors.BarrierBrokenError);
  await until(() => arrivedAt(barrier) === 2, 'two have come');
  await party.worker.terminate();
  await waiting;
  assert.equal(barrier.broken, true);
  assert.equal(await codeOf(() => barrier.waitSync()), 'ERR_RW_BARRIER_BROKEN');
  barrier.reset();
  assert.equal(barrier.broken, false);
});

test('a semaphore: who dies waiting leaves nothing behind', async () => {
  const semaphore = new Semaphore(0);
  const waiter = thread('Semaphore.from(data).acquireSync(2);', semaphore);
  await until(() => waitersOf(semaphore) === 1, 'the thread waits');
  const behind = semaphore.acquire(1);
  await waiter.worker.terminate();
  semaphore.release(1);
  (await inTime(behind, 'who waits behind it')).release();
  assert.deepEqual([waitersOf(semaphore), semaphore.available], [0, 1]);
});

test('a condition variable: a notify that reached a dead thread goes to the next', async () => {
  const data = { mutex: new Mutex(), condvar: new Condvar(), busy: notBusy() };
  const { mutex, condvar } = data;
  const deaf = thread(`Condvar.from(data.condvar).wait(await Mutex.from(data.mutex).lock()); ${BUSY}`, data);
  await until(() => isBusy(data), 'the thread is busy');
  const guard = mutex.lockSync();
  const waiting = condvar.wait(guard, { timeout: 5000 });
  // The thread that is busy came first: the notify is its own, and it never looks.
  assert.equal(condvar.notifyOne(), 1);
  await deaf.worker.terminate();
  assert.equal(await waiting, true);
  guard.release();
});

test('threads terminated at random moments leave no one stuck and nothing half done unnoticed', async () => {
  const data = { mutex: new Mutex(), pair: new Float64Array(new SharedArrayBuffer(16)) };
  const { mutex, pair } = data;
  const body = (lock) => `
    const mutex = Mutex.from(data.mutex);
    tell(1);
    for (;;) {
      const guard = ${lock};
      data.pair[0] += 1;
      data.pair[1] += 1;
      guard.release();
    }`;
  const bodies = [body('mutex.lockSync()'), body('await mutex.lock()')];
  for (let round = 0; round < 24; round++) {
    const [dying, other] = [thread(bodies[round & 1], data), thread(bodies[(round >> 1) & 1], data)];
    const end = other.ended.then(() => 'terminated', (error) => error.code);
    await Promise.all([dying.heard(), other.heard()]);
    // Any moment will do.
    await after(round % 5);
    await dying.worker.terminate();
    let guard;
    try {
      guard = round & 4 ? mutex.lockSync({ timeout: 5000 }) : await mutex.lock({ timeout: 5000 });
      assert.equal(pair[0], pair[1]);
    } catch (error) {
      assert.equal(error.code, 'ERR_RW_LOCK_POISONED');
      guard = mutex.recover();
      pair[1] = pair[0];
    }
    guard.release();
    await other.worker.terminate();
    assert.ok(['terminated', 'ERR_RW_LOCK_POISONED'].includes(await end), await end);
    if (mutex.poisoned) mutex.recover().release();
  }
  assert.ok(pair[0] > 0);
});
