'use strict';

/** `notify` asks the native side only where the counter of waiters is not 0: no waiter may be missed, and none left counted. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { Mutex, SharedBuffer, WorkerPool } = require('../..');
const { giveHelpers } = require('../../lib/shared-buffer/helpers');

const counted = () => [...giveHelpers().counters].reduce((sum, count) => sum + count, 0);

test('where this runtime takes foreign memory, the counters are there, and 0 where nobody waits', () => {
  assert.ok(giveHelpers().counters instanceof Int32Array);
  assert.equal(giveHelpers().counters.length, 64);
  assert.equal(counted(), 0);
});

test('waiters are counted while they wait, and however they end', async () => {
  const shared = new SharedBuffer(1024);
  const view = shared.as('bigInt64', 8);
  const waits = [
    shared.waitAsync(3, 0), shared.waitAsync(3, 0), shared.waitAsync(67, 0), view.waitAsync(1, 0n), view.waitAsync(100, 0n, 1),
  ];
  assert.equal(counted(), 5);
  assert.equal(await waits[4], 'timed-out');
  assert.equal(await shared.waitAsync(5, 1), 'not-equal');
  assert.equal(shared.wait(5, 0, 1), 'timed-out');
  assert.equal(counted(), 4);
  assert.equal(shared.notify(2), 0);
  assert.equal(shared.notify(3, 0), 0);
  assert.equal(shared.notify(3, 1), 1);
  // Cell 67 has the counter of cell 3.
  assert.equal(shared.notify(3), 1);
  assert.equal(shared.notify(3), 0);
  assert.equal(shared.notify(67, Infinity), 1);
  assert.equal(view.notify(0), 0);
  // Element 1 of the view is cells 4 and 5.
  assert.equal(view.notify(1), 1);
  assert.deepEqual(await Promise.all(waits), ['ok', 'ok', 'ok', 'ok', 'timed-out']);
  assert.equal(counted(), 0);
});

test('other kinds of index and count are taken as `Atomics` takes them', async () => {
  const shared = new SharedBuffer(64);
  const waiting = () => shared.waitAsync(1, 0);
  for (const [index, count] of [['1', 1], [1.5, 1], [{ valueOf: () => 1 }, 1], [1, '1'], [1, { valueOf: () => 1 }], [true, undefined]]) {
    const wait = waiting();
    assert.equal(shared.notify(index, count), 1);
    assert.equal(await wait, 'ok');
  }
  let asked = 0;
  const once = { valueOf: () => ++asked };
  assert.equal(shared.notify(once, once), 0);
  assert.equal(asked, 2, 'each is asked once');
  for (const index of [-1, 16, 2 ** 31, NaN, Symbol('s'), 1n]) {
    let wanted;
    try { wanted = Atomics.notify(new Int32Array(shared.buffer), index); } catch (error) { wanted = error; }
    if (typeof wanted === 'number') assert.equal(shared.notify(index), wanted);
    else assert.throws(() => shared.notify(index), { name: wanted.name, message: wanted.message });
  }
  for (const type of ['int8', 'uint32', 'float64', 'bigUint64']) assert.throws(() => shared.as(type).notify(0), TypeError);
});

test('waiters of locks are counted too, and gone when they have the lock', async () => {
  const mutex = new Mutex();
  const guard = mutex.lockSync();
  const second = mutex.lock();
  const late = assert.rejects(mutex.lock({ timeout: 1 }), { code: 'ERR_RW_LOCK_TIMEOUT' });
  await late;
  assert.equal(counted(), 1);
  guard.release();
  (await second).release();
  assert.equal(counted(), 0);
});

test('plain stores and notifies against waiting threads: no wake-up is missed', async () => {
  const ROUNDS = 30_000;
  const shared = new SharedBuffer(64);
  const cells = new Int32Array(shared.buffer);
  const worker = new Worker(
    `const { workerData: { buffer, rounds, main } } = require('node:worker_threads');
     const { SharedBuffer } = require(main);
     const shared = SharedBuffer.from(buffer);
     for (let round = 0; round < rounds; round++) {
       while (shared.load(0) <= round) shared.wait(0, round);
       shared.store(1, round + 1);
       shared.notify(1);
     }`,
    { eval: true, workerData: { buffer: shared.buffer, rounds: ROUNDS, main: require.resolve('../..') } },
  );
  const ended = once(worker, 'exit');
  await once(worker, 'online');
  for (let round = 0; round < ROUNDS; round++) {
    // Not atomic on purpose: the notify has to put it in order.
    cells[0] = round + 1;
    shared.notify(0);
    while (shared.load(1) <= round) shared.wait(1, round);
  }
  assert.deepEqual(await ended, [0]);
  assert.equal(counted(), 0);
});

test('native tasks that wait are counted by every thread', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const shared = new SharedBuffer(64);
  for (let round = 0; round < 50; round++) {
    const wait = pool.run('atomicWait', { buffer: shared, index: 2, value: round });
    shared.store(2, round + 1);
    shared.notify(2);
    assert.match(await wait, /^(ok|not-equal)$/);
  }
  await pool.close();
  assert.equal(counted(), 0);
});
