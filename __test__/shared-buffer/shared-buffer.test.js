'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { SharedBuffer, errors, Worker: OurWorker } = require('../..');

const TYPES = {
  int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array,
  bigInt64: BigInt64Array, bigUint64: BigUint64Array, float32: Float32Array, float64: Float64Array,
};

test('it is a real SharedArrayBuffer with Int32 cells', () => {
  const shared = new SharedBuffer(20);
  assert.ok(shared.buffer instanceof SharedArrayBuffer);
  assert.equal(shared.byteLength, 20);
  assert.equal(shared.store(4, 7.9), 7);
  assert.equal(shared.add(4, 2 ** 31), 7);
  assert.equal(shared.load(4), -(2 ** 31) + 7);
  assert.equal(shared.sub(4, 2 ** 31), -(2 ** 31) + 7);
  assert.equal(shared.or(4, 8), 7);
  assert.equal(shared.and(4, 12), 15);
  assert.equal(shared.xor(4, 1), 12);
  assert.equal(shared.exchange(4, 5), 13);
  assert.equal(shared.compareExchange(4, 5, 6), 5);
  assert.equal(shared.compareExchange(4, 5, 9), 6);
  assert.equal(new Int32Array(shared.buffer)[4], 6);
  assert.equal(shared.isLockFree(), true);
  assert.equal(shared.isLockFree(3), false);
});

test('every element type of Atomics has a view, and floats have loads and stores', () => {
  const shared = new SharedBuffer(64);
  for (const [type, Type] of Object.entries(TYPES)) {
    const view = shared.as(type, 16, 2);
    assert.deepEqual([view.type, view.length, view.byteOffset, view.byteLength], [type, 2, 16, 2 * Type.BYTES_PER_ELEMENT]);
    assert.ok(view.array instanceof Type && view.buffer === shared.buffer);
    const one = type.startsWith('big') ? 1n : 1;
    view.store(1, one);
    assert.equal(view.load(1), one);
    assert.equal(view.array[1], one);
    if (type.startsWith('float')) {
      assert.equal(view.store(0, 0.1), 0.1);
      assert.equal(view.load(0), type === 'float32' ? Math.fround(0.1) : 0.1);
      for (const name of ['add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange', 'notify']) {
        assert.throws(() => view[name](0, 1, 1), TypeError, name);
      }
      for (const bad of [2, -1, Infinity, 'x1'].slice(0, 3)) assert.throws(() => view.load(bad), RangeError);
      assert.throws(() => view.load(1n), TypeError);
      assert.throws(() => view.store(0, 1n), TypeError);
    } else {
      assert.equal(view.add(1, one), one);
      assert.equal(view.load(1), one + one);
    }
    shared.as('bigInt64').array.fill(0n);
  }
  assert.equal(shared.as('float64').length, 8);
  assert.equal(shared.as('int16', 62).length, 1);
});

test('from() is the same memory, whatever it is made from', () => {
  const shared = new SharedBuffer(32);
  for (const source of [shared.buffer, new Uint16Array(shared.buffer, 8), new DataView(shared.buffer), shared, shared.as('int8', 3)]) {
    const again = SharedBuffer.from(source);
    assert.equal(again.buffer, shared.buffer);
    again.add(2, 1);
  }
  assert.equal(shared.load(2), 5);
});

test('a growable buffer grows, and its cells with it', () => {
  const shared = new SharedBuffer(8, { maxByteLength: 64 });
  const view = shared.as('int16');
  const fixed = shared.as('int16', 0, 2);
  assert.deepEqual([shared.growable, shared.maxByteLength, view.length], [true, 64, 4]);
  assert.throws(() => shared.store(2, 1), RangeError);
  assert.equal(shared.grow(16), shared);
  shared.store(3, 5);
  assert.deepEqual([shared.byteLength, view.length, fixed.length, shared.load(3)], [16, 8, 2, 5]);
  for (const bad of [8, 65]) assert.throws(() => shared.grow(bad), errors.OutOfRangeError);
  assert.throws(() => new SharedBuffer(8).grow(16), errors.InvalidArgValueError);
  assert.equal(new SharedBuffer(8).growable, false);
});

test('bad arguments have the errors of the language, or typed ones', () => {
  for (const bad of [-1, 1.5, NaN, Infinity]) assert.throws(() => new SharedBuffer(bad), errors.OutOfRangeError);
  for (const bad of ['8', undefined, null, 8n, {}]) assert.throws(() => new SharedBuffer(bad), errors.InvalidArgTypeError);
  assert.throws(() => new SharedBuffer(8, 5), errors.InvalidArgTypeError);
  assert.throws(() => new SharedBuffer(8, { maxByteLength: 4 }), errors.OutOfRangeError);
  assert.throws(() => new SharedBuffer(2 ** 52), errors.OutOfRangeError);
  for (const bad of [new ArrayBuffer(8), new Uint8Array(8), {}, null, undefined, 8]) {
    assert.throws(() => SharedBuffer.from(bad), errors.InvalidArgTypeError);
  }
  const shared = new SharedBuffer(16);
  for (const bad of ['int7', 'Int32', undefined, 'toString']) assert.throws(() => shared.as(bad), errors.InvalidArgValueError);
  assert.throws(() => shared.as('int32', 2), errors.OutOfRangeError);
  assert.throws(() => shared.as('int32', 17), errors.OutOfRangeError);
  assert.throws(() => shared.as('int32', 8, 3), errors.OutOfRangeError);
  assert.throws(() => shared.as('int32', 8, '1'), errors.InvalidArgTypeError);
  for (const bad of [4, -1, Infinity]) assert.throws(() => shared.load(bad), RangeError);
  assert.throws(() => shared.load(Symbol('i')), TypeError);
  assert.throws(() => shared.add(0, 1n), TypeError);
  assert.throws(() => shared.as('bigInt64').add(0, 1), TypeError);
  assert.throws(() => shared.wait(4, 0), RangeError);
  assert.throws(() => shared.as('int16').wait(0, 0), TypeError);
  assert.throws(() => shared.as('float64').wait(0, 0), TypeError);
  assert.throws(() => shared.notify(-1), RangeError);
});

test('an empty buffer is one, and every access to it out of range', () => {
  const empty = new SharedBuffer(0);
  assert.equal(empty.byteLength, 0);
  assert.throws(() => empty.load(0), RangeError);
  assert.throws(() => empty.wait(0, 0, 0), RangeError);
  assert.throws(() => empty.notify(0), RangeError);
  assert.equal(empty.as('float64').length, 0);
});

test('made again in another thread it is the same memory', async () => {
  const shared = new SharedBuffer(16);
  const worker = new Worker(
    `const { SharedBuffer } = require(${JSON.stringify(require.resolve('../..'))});
     const { workerData } = require('node:worker_threads');
     const shared = SharedBuffer.from(workerData);
     shared.add(1, 41);
     shared.as('bigInt64').store(1, 7n);
     shared.store(0, 1);
     shared.notify(0);`,
    { eval: true, workerData: shared.buffer },
  );
  assert.notEqual(shared.wait(0, 0, 10_000), 'timed-out');
  assert.equal(shared.load(1), 41);
  assert.equal(shared.as('bigInt64').load(1), 7n);
  await worker.terminate();
});

test('it can be in messages of our Worker, and its views too', async () => {
  const shared = new SharedBuffer(16);
  const worker = new OurWorker(
    `const { parentPort, workerData, SharedBuffer } = require(${JSON.stringify(require.resolve('../..'))});
     parentPort.on('message', ({ shared, view }) => {
       shared.add(0, 1);
       view.add(1, 5n);
       parentPort.postMessage([shared instanceof SharedBuffer, view.type, workerData.shared.load(0), shared]);
     });`,
    { eval: true, workerData: { shared } },
  );
  const answer = new Promise((resolve) => worker.once('message', resolve));
  worker.postMessage({ shared, view: shared.as('bigInt64') });
  const [same, type, seen, back] = await answer;
  assert.deepEqual([same, type, seen], [true, 'bigInt64', 1]);
  assert.ok(back instanceof SharedBuffer);
  assert.equal(back.as('bigInt64').load(1), 5n);
  back.store(0, 9);
  assert.equal(shared.load(0), 9);
  await worker.terminate();
});
