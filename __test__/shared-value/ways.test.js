'use strict';

// The ways on which a handle gets to another thread.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { describe, test } = require('node:test');
const workerThreads = require('node:worker_threads');

const { MessageChannel, SharedValue, Worker, WorkerPool, carry, setEnvironmentData, share } = require('../..');

const ROOT = path.join(__dirname, '..', '..');
const SCRIPT = path.join(__dirname, 'fixtures', 'reader.cjs');
const TREE = { name: 'tree', list: [1, { deep: [true, 'text'.repeat(5000)] }], bytes: new Uint8Array([1, 2, 3]) };

const start = (text, options, Class = Worker) => new Class(`const rw = require(${JSON.stringify(ROOT)}); ${text}`, { eval: true, ...options });
const answer = async (worker) => (await once(worker, 'message'))[0];

/** What a thread says of a handle that it got. */
const REPORT = `const report = (handle) => [handle instanceof rw.SharedValue, handle.value.list[1].deep[1].length, [...handle.value.bytes]];`;
const REPORTED = [true, 20_000, [1, 2, 3]];

describe('ports of ours', () => {
  test('a handle by itself, within a message, twice, and again and again', async () => {
    const { port1, port2 } = new MessageChannel();
    const handle = share(TREE);
    for (let i = 0; i < 5; i++) {
      port1.postMessage(handle);
      port1.postMessage({ i, handle, again: [handle] });
      const alone = port2.receiveSync();
      assert.ok(alone instanceof SharedValue && alone !== handle);
      assert.deepStrictEqual(alone.value.list, TREE.list);
      const inside = port2.receiveSync();
      assert.equal(inside.i, i);
      assert.equal(inside.handle, inside.again[0]);
      assert.deepStrictEqual(inside.handle.copy(), TREE);
    }
    port1.close();
  });

  test('it is the same memory on both sides', async () => {
    const { port1, port2 } = new MessageChannel();
    const handle = share(new Int32Array(4));
    port1.postMessage(handle);
    const there = port2.receiveSync();
    handle.value[2] = 7;
    assert.equal(there.value[2], 7);
    port1.close();
  });

  test('a message with a getter beside the handle', async () => {
    const { port1, port2 } = new MessageChannel();
    let reads = 0;
    port1.postMessage({ get count() { return ++reads; }, handle: share(TREE), port: new Map([[1, share('x')]]) });
    const { count, handle, port } = port2.receiveSync();
    assert.deepEqual([count, handle.value.name, port.get(1).value], [1, 'tree', 'x']);
    port1.close();
  });

  test('messages of many objects, with a getter before and after the handle', () => {
    const { port1, port2 } = new MessageChannel();
    for (const count of [1, 14, 15, 16, 17, 126, 127, 128, 129, 500]) {
      const objects = Array.from({ length: count }, (_, i) => ({ i }));
      let reads = 0;
      const message = { objects, get first() { return ++reads; }, handle: share([count]), again: [...objects], get last() { return ++reads; } };
      port1.postMessage(message);
      const got = port2.receiveSync();
      assert.deepEqual([got.first, got.last, reads, got.handle.value[0], got.objects.length], [1, 2, 2, count, count]);
      assert.ok(got.again.every((object, i) => object === got.objects[i] && object.i === i));
    }
    port1.close();
  });

  test('a port that moves takes its messages along', async () => {
    const { port1, port2 } = new MessageChannel();
    for (let i = 0; i < 4; i++) port1.postMessage(share({ ...TREE, i }));
    const worker = start(`${REPORT} rw.workerData.port.on('message', (handle) => rw.parentPort.postMessage([handle.value.i, report(handle)]));`,
      { workerData: { port: port2 }, transferList: [port2] });
    const got = [];
    for (let i = 0; i < 4; i++) got.push(await answer(worker));
    assert.deepEqual(got, [0, 1, 2, 3].map((i) => [i, REPORTED]));
    await worker.terminate();
    port1.close();
  });
});

describe('threads', () => {
  test('workerData, parentPort and postMessage of our Worker', async () => {
    const handle = share(TREE);
    const worker = start(`${REPORT} const { parentPort, workerData } = rw;
      parentPort.postMessage(report(workerData.handle));
      parentPort.on('message', (handle) => parentPort.postMessage({ back: handle, report: report(handle) }));`,
    { workerData: { handle } });
    assert.deepEqual(await answer(worker), REPORTED);
    worker.postMessage(handle);
    const { back, report } = await answer(worker);
    assert.deepEqual(report, REPORTED);
    assert.ok(back instanceof SharedValue);
    assert.deepStrictEqual(back.copy(), TREE);
    await worker.terminate();
  });

  test("Node's own Worker and ports, by carry; without it a DataCloneError or an object without the value", async () => {
    const handle = share(TREE);
    const worker = start(`${REPORT} rw.parentPort.on('message', ({ handle }) => rw.parentPort.postMessage(report(handle)));`, {}, workerThreads.Worker);
    worker.postMessage(...carry({ handle }));
    assert.deepEqual(await answer(worker), REPORTED);
    await worker.terminate();
    const { port1, port2 } = new workerThreads.MessageChannel();
    if (workerThreads.markAsUncloneable !== undefined) assert.throws(() => port1.postMessage(handle), { name: 'DataCloneError' });
    else assert.throws(() => port1.postMessage(handle.value), { name: 'DataCloneError' });
    port1.close();
    port2.close();
  });

  test('environment data', async () => {
    setEnvironmentData('shared value of ways.test.js', { handle: share(TREE) });
    const worker = start(`${REPORT} rw.parentPort.postMessage(report(rw.getEnvironmentData('shared value of ways.test.js').handle));`);
    assert.deepEqual(await answer(worker), REPORTED);
    setEnvironmentData('shared value of ways.test.js', undefined);
  });

  test('a view is a Proxy, which nothing can send: its handle or a copy can', () => {
    const { value } = share(TREE);
    const { port1 } = new MessageChannel();
    assert.throws(() => structuredClone(value), { name: 'DataCloneError' });
    assert.throws(() => port1.postMessage({ value }), { name: 'DataCloneError' });
    assert.deepStrictEqual(structuredClone(SharedValue.copyOf(value)), TREE);
    port1.close();
  });
});

describe('script pools', () => {
  test('inputs, parts of inputs, results and reports', async () => {
    const pool = new WorkerPool(SCRIPT, { maxThreads: 2 });
    const handle = share(TREE);
    assert.equal(await pool.run('readAlone', handle), 'tree');
    const names = await pool.map('read', Array.from({ length: 20 }, (_, i) => ({ handle, path: ['list', i % 2] })).filter((_, i) => i % 2 === 0));
    assert.deepEqual(names, Array(10).fill(1));
    const made = await pool.run('make', 100_000);
    assert.ok(made instanceof SharedValue && made.value.made.length === 100_000);
    const reports = [];
    assert.equal(await pool.run('tell', 30_000, { onProgress: ({ handle: told }) => reports.push(told.value.length) }), 'told');
    assert.deepEqual(reports, [30_000]);
    const echoed = await pool.run('echo', { handle, more: [1] });
    assert.deepStrictEqual(echoed.handle.copy(), TREE);
    assert.deepEqual(echoed.more, [1]);
    let reads = 0;
    const read = await pool.run('echo', { get count() { return ++reads; }, handle });
    assert.deepEqual([read.count, read.handle.value.name], [1, 'tree']);
    await assert.rejects(pool.run('view', handle), { name: 'DataCloneError' });
    await pool.close();
  });
});

describe('native tasks', () => {
  test('take the bytes where they are, by their view', async () => {
    const pool = new WorkerPool();
    const bytes = new Uint8Array(100_000).map((_, i) => i);
    const { value } = share(bytes);
    for (const task of ['sum', 'crc32']) {
      assert.deepEqual(await pool.run(task, value), await pool.run(task, bytes), task);
    }
    assert.equal(await pool.run('wordCount', share('two words').value).then(({ words }) => words), 2);
    await pool.close();
  });

  test('do not take the handle itself, nor a view', async () => {
    const pool = new WorkerPool();
    const handle = share(new Uint8Array(8));
    await assert.rejects(pool.run('sum', share({ a: 1 }).value), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
    await assert.rejects(pool.run('echo', { handle }), { code: 'ERR_RW_UNSUPPORTED_VALUE', message: /^input\.handle is a SharedValue,/ });
    await pool.close();
  });
});
