'use strict';

const assert = require('node:assert/strict');
const { after, test } = require('node:test');

const { SharedBuffer, WorkerPool, rustAtomics } = require('../..');
const { assertPromised, timeOf } = require('../support/promised-time');
const { thread } = require('../support/thread');
const { until } = require('../support/until');

const pool = new WorkerPool({ maxThreads: 8 });
after(() => pool.close());

/** A thread that runs `body` with `shared`. */
const worker = (shared, body) => thread(`const shared = SharedBuffer.from(data); ${body}`, shared.buffer);

/** Notifies until that many have been woken. */
async function wakeAll(shared, index, count) {
  let woken = 0;
  await until(() => (woken += shared.notify(index, count - woken)) === count, `${count} are woken`);
}

/** Has native tasks notify until one has been woken. */
const wakeOneByTasks = (shared, index, options = {}) =>
  until(() => pool.run('atomicNotify', { buffer: shared, index, ...options }), 'a task wakes one');

test('a value that is not the expected one is told at once, and a time-out is kept', async () => {
  const shared = new SharedBuffer(32);
  assert.equal(shared.wait(0, 1), 'not-equal');
  assert.equal(shared.wait(0, 0, 0), 'timed-out');
  assert.equal(shared.wait(0, 0, -5), 'timed-out');
  for (const timeout of [30, 120]) {
    await assertPromised(
      // A slice of a wait is 50 ms, and no limit waits for the end of one.
      49,
      async () => {
        const took = await timeOf(() => assert.equal(shared.wait(0, 0, timeout), 'timed-out'));
        assert.ok(took >= timeout - 1, `${took} ms`);
        return took;
      },
      () => timeOf(() => Atomics.wait(new Int32Array(shared.buffer), 0, 0, timeout)),
      3,
    );
  }
  const big = shared.as('bigInt64');
  big.store(1, -5n);
  assert.equal(big.wait(1, 5n), 'not-equal');
  assert.equal(big.wait(1, 2n ** 64n - 5n, 5), 'timed-out', 'the value is taken modulo 2^64');
});

test('waitAsync: not-equal, timed-out, ok, and no hold on others', async () => {
  const shared = new SharedBuffer(32);
  assert.equal(await shared.waitAsync(0, 1), 'not-equal');
  assert.equal(await shared.waitAsync(0, 0, 0), 'timed-out');
  assert.equal(await shared.waitAsync(0, 0, 20), 'timed-out');
  assert.equal(shared.notify(0), 0, 'who timed out is not there any more');
  const waiting = shared.waitAsync(0, 0, 60_000);
  assert.equal(shared.notify(1), 0);
  assert.equal(shared.notify(0), 1);
  assert.equal(await waiting, 'ok');
  await assert.rejects(shared.waitAsync(99, 0), RangeError);
  await assert.rejects(shared.as('int8').waitAsync(0, 0), TypeError);
  assert.deepEqual(rustAtomics.waitAsync(shared.as('int32').array, 0, 5), { async: false, value: 'not-equal' });
});

test('waiters are woken in the order they came, as many as are wanted', async () => {
  const shared = new SharedBuffer(8);
  const order = [];
  const waits = Array.from({ length: 5 }, (_, i) => shared.waitAsync(0, 0).then(() => order.push(i)));
  assert.equal(shared.notify(0, 0), 0);
  assert.equal(shared.notify(0, 2), 2);
  await Promise.all(waits.slice(0, 2));
  assert.deepEqual(order, [0, 1]);
  assert.equal(shared.notify(0, 1), 1);
  await waits[2];
  assert.equal(shared.notify(0, 10), 2);
  await Promise.all(waits);
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
});

test('JavaScript waits and JavaScript notifies, on the main thread too', async () => {
  const shared = new SharedBuffer(16);
  const other = worker(shared, `
    tell(shared.wait(0, 0));
    let woken = 0;
    while (woken === 0) woken = shared.notify(1);
    tell(woken);`);
  await wakeAll(shared, 0, 1);
  assert.equal(await other.next(), 'ok');
  assert.equal(shared.wait(1, 0, 10_000), 'ok');
  assert.equal(await other.next(), 1);
});

test('Rust waits and JavaScript notifies', async () => {
  const shared = new SharedBuffer(16);
  const waits = [1, 2, 3].map(() => pool.run('atomicWait', { buffer: shared, index: 1, value: 0 }));
  await wakeAll(shared, 1, 3);
  assert.deepEqual(await Promise.all(waits), ['ok', 'ok', 'ok']);
  shared.store(1, 5);
  assert.equal(await pool.run('atomicWait', { buffer: shared, index: 1, value: 0 }), 'not-equal');
  assert.equal(await pool.run('atomicWait', { buffer: shared, index: 1, value: 5, timeout: 15 }), 'timed-out');
  const big = shared.as('bigInt64');
  assert.equal(await pool.run('atomicWait', { buffer: big, index: 0, value: 1n }), 'not-equal');
});

test('JavaScript waits and Rust notifies', async () => {
  const shared = new SharedBuffer(16);
  const waiting = shared.waitAsync(2, 0);
  assert.equal(await pool.run('atomicNotify', { buffer: shared, index: 2 }), 1);
  assert.equal(await waiting, 'ok');
  const other = worker(shared, 'tell(shared.wait(2, 0));');
  assert.equal(await wakeOneByTasks(shared, 2, { count: 1 }), 1);
  assert.equal(await other.next(), 'ok');
});

test('Rust waits and Rust notifies', async () => {
  const shared = new SharedBuffer(16);
  const waiting = pool.run('atomicWait', { buffer: shared, value: 0 });
  assert.equal(await wakeOneByTasks(shared, 0), 1);
  assert.equal(await waiting, 'ok');
});

test('one notify reaches our waiters first and then plain Atomics.wait', async () => {
  const shared = new SharedBuffer(16);
  const plain = worker(shared, 'tell(Atomics.wait(new Int32Array(data), 0, 0, 20000));');
  await until(async () => {
    const ours = [shared.waitAsync(0, 0), shared.waitAsync(0, 0)];
    const first = shared.notify(0, 2);
    ours.push(shared.waitAsync(0, 0));
    // Nobody can ask whether the thread waits: if it does it is the second of these.
    const then = shared.notify(0);
    assert.equal(first, 2);
    assert.deepEqual(await Promise.all(ours), ['ok', 'ok', 'ok']);
    assert.ok(then === 1 || then === 2, `${then} were woken`);
    return then === 2;
  }, 'the plain waiter is woken with one of ours');
  assert.equal(await plain.next(), 'ok');
});

test('a native task wakes plain Atomics.wait through the notifier, while this thread is in Atomics.wait itself', async () => {
  const shared = new SharedBuffer(16);
  const cells = new Int32Array(shared.buffer);
  const waker = worker(shared, `
    const pool = new WorkerPool({ maxThreads: 1 });
    await pool.run('noop');
    tell('here');
    let woken = 0;
    while (woken === 0) woken = await pool.run('atomicNotify', { buffer: shared, index: 3 });
    tell(woken);
    await pool.close();`);
  await waker.next();
  assert.equal(Atomics.wait(cells, 3, 0, 20_000), 'ok');
  assert.equal(await waker.next(), 1);
  // And this thread's own notifier, that one's buffer still known to the other.
  const plain = worker(shared, 'tell(Atomics.wait(new Int32Array(data), 1, 0, 20000));');
  assert.equal(await wakeOneByTasks(shared, 1), 1);
  assert.equal(await plain.next(), 'ok');
  assert.equal(await pool.run('atomicNotify', { buffer: shared, index: 1 }), 0);
});

test('100,000 waits and wakes between JavaScript and Rust, none lost', { timeout: 120_000 }, async () => {
  const rounds = 100_000;
  const shared = new SharedBuffer(8);
  const other = pool.run('atomicPingPong', { buffer: shared, rounds });
  for (let round = 0; round < rounds; round++) {
    shared.add(0, 1);
    shared.notify(0, 1);
    while (shared.load(0) === 2 * round + 1) {
      if (shared.wait(0, 2 * round + 1, 20_000) === 'timed-out') assert.fail(`a wake was lost in round ${round}`);
    }
  }
  assert.equal(shared.load(0), 2 * rounds);
  assert.equal(await other, undefined);
});

test('a native wait ends with its signal and its time limit', async () => {
  const shared = new SharedBuffer(8);
  const stop = new AbortController();
  const waiting = pool.run('atomicWait', { buffer: shared, value: 0 }, { signal: stop.signal });
  await until(() => pool.stats().running === 1, 'it waits');
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await assert.rejects(pool.run('atomicWait', { buffer: shared, value: 0 }, { timeout: 20 }), { name: 'TimeoutError' });
  await until(() => pool.stats().running === 0, 'both have ended');
  assert.equal(shared.notify(0), 0, 'both have left the queue');
});

test('the tasks on cells refuse what they cannot take', async () => {
  const shared = new SharedBuffer(8);
  const refused = (task, input) => assert.rejects(pool.run(task, input), { code: /ERR_RW_(INVALID_INPUT|OUT_OF_RANGE)/ }, task);
  await refused('atomicWait', { buffer: shared, index: 2, value: 0 });
  await refused('atomicWait', { buffer: shared });
  await refused('atomicWait', { buffer: shared.as('int8'), value: 0 });
  await refused('atomicWait', { buffer: new Int32Array(2), value: 0 });
  await refused('atomicWait', { buffer: shared.as('bigInt64'), value: 0 });
  await refused('atomicNotify', { buffer: shared, index: -1 });
  await refused('atomicNotify', { buffer: shared.as('float64') });
  await refused('atomicAdd', { buffer: shared.as('float32'), value: 1 });
  await refused('atomicAdd', { buffer: shared, count: 0.5 });
  await refused('atomicPingPong', { buffer: shared });
  await refused('atomicAdd', shared);
});
