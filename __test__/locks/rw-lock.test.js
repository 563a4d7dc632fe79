'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { RwLock } = require('../..');
const { thread } = require('../support/thread');
const { until } = require('../support/until');
const { codeOf, isDraining } = require('./support');

test('readers are in together, a writer alone', async () => {
  const lock = new RwLock();
  const [first, second] = [lock.readSync(), await lock.read()];
  assert.equal(lock.tryWrite(), null);
  const third = lock.tryRead();
  assert.notEqual(third, null);
  for (const guard of [first, second, third]) guard.release();
  const writer = await lock.write();
  assert.equal(lock.tryRead(), null);
  assert.equal(lock.tryWrite(), null);
  assert.equal(await codeOf(() => lock.writeSync()), 'ERR_RW_LOCK_DEADLOCK');
  assert.equal(await codeOf(() => lock.readSync()), 'ERR_RW_LOCK_DEADLOCK');
  writer.release();
  lock.writeSync().release();
});

test('two cells that writers change together are never seen apart, over threads and both forms', async () => {
  const lock = new RwLock();
  const pair = new Float64Array(new SharedArrayBuffer(16));
  const data = { lock, pair, count: 3000 };
  const sync = `
    const lock = RwLock.from(data.lock);
    let torn = 0;
    for (let i = 0; i < data.count; i++) {
      if (i % 4 === 0) {
        const guard = lock.writeSync();
        data.pair[0] += 1;
        data.pair[1] += 1;
        guard.release();
      } else {
        const guard = lock.readSync();
        if (data.pair[0] !== data.pair[1]) torn++;
        guard.release();
      }
    }
    tell(torn);`;
  const promised = sync.replaceAll('lock.writeSync', 'await lock.write').replaceAll('lock.readSync', 'await lock.read');
  const threads = [sync, sync, promised, promised].map((body) => thread(body, data).ended);
  assert.deepEqual((await Promise.all(threads)).flat(), [0, 0, 0, 0]);
  assert.deepEqual([...pair], [data.count, data.count]);
});

test('who waits comes in its turn: a reader does not overtake a waiting writer', async () => {
  const lock = new RwLock();
  const order = [];
  const reading = await lock.read();
  const writer = lock.write().then((guard) => (order.push('writer'), guard.release()));
  await until(() => isDraining(lock), 'the writer waits');
  const late = lock.read().then((guard) => (order.push('reader'), guard.release()));
  assert.equal(lock.tryRead(), null);
  reading.release();
  await Promise.all([writer, late]);
  assert.deepEqual(order, ['writer', 'reader']);
});

test('when the slots have run out the next reader waits for one', async () => {
  const lock = new RwLock({ maxReaders: 2 });
  assert.equal(lock.maxReaders, 2);
  const guards = [lock.readSync(), lock.readSync()];
  assert.equal(lock.tryRead(), null);
  const waiting = lock.read();
  assert.equal(await codeOf(() => lock.read({ timeout: 10 })), 'ERR_RW_LOCK_TIMEOUT');
  guards[0].release();
  (await waiting).release();
  guards[1].release();
  lock.writeSync().release();
});

test('time limits and signals end waits, and those behind go on', async () => {
  const lock = new RwLock();
  const holder = thread('const guard = RwLock.from(data).readSync(); tell(1); await told(); guard.release();', lock);
  await holder.heard();
  assert.equal(await codeOf(() => lock.writeSync({ timeout: 30 })), 'ERR_RW_LOCK_TIMEOUT');
  assert.equal(await codeOf(() => lock.write({ timeout: 30 })), 'ERR_RW_LOCK_TIMEOUT');
  const stop = new AbortController();
  const writing = lock.write({ signal: stop.signal });
  const reading = lock.read();
  stop.abort();
  assert.equal(await codeOf(() => writing), 'ERR_RW_LOCK_ABORTED');
  (await reading).release();
  holder.tell();
  await holder.ended;
  lock.writeSync().release();
});
