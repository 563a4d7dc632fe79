'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { after, test } = require('node:test');
const zlib = require('node:zlib');

const { MessageChannel, Mutex, SharedBuffer, WorkerPool, errors } = require('../..');
const { busyPool } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { until } = require('../support/until');

const pool = new WorkerPool({ maxThreads: 4 });
const single = new WorkerPool({ maxThreads: 1 });
after(() => Promise.all([pool.close(), single.close()]));

const below = createRandom(1);
/** A number in [0, 1); the same sequence in every run. */
const random = () => below(2 ** 32) / 2 ** 32;

test('memory that has properties of its own by the names of the language', async () => {
  const shadowed = (object) => {
    for (const key of ['buffer', 'byteLength', 'byteOffset', 'length', 'detached', 'growable', 'maxByteLength', 'grow']) {
      Object.defineProperty(object, key, { get: () => assert.fail(`own ${key}`) });
    }
    return object;
  };
  const numbers = () => new Float64Array([2, 1]);
  assert.equal((await pool.run('sort', shadowed(numbers())))[0], 1);
  assert.equal((await pool.run('sort', { data: shadowed(numbers()) }, { parallel: true }))[0], 1);
  for (const wrap of [(view) => view, (data) => ({ data })]) {
    const view = numbers();
    const { buffer } = view;
    assert.equal((await pool.run('sort', wrap(shadowed(view)), { transfer: [shadowed(buffer)] }))[0], 1);
  }
  const mapped = numbers();
  const { buffer } = mapped;
  shadowed(mapped);
  const source = (async function* () { yield mapped; })();
  assert.equal((await pool.map('sort', source, { transfer: [buffer] }))[0][0], 1);

  const memory = shadowed(new SharedArrayBuffer(32));
  const view = shadowed(new Int32Array(memory));
  assert.equal(await pool.run('sort', view), view);
  assert.equal(await pool.run('atomicNotify', { buffer: view }), 0);
  for (const source of [memory, view]) {
    const shared = SharedBuffer.from(source);
    assert.deepEqual([shared.byteLength, shared.maxByteLength, shared.growable], [32, 32, false]);
    assert.ok(Mutex.create(source).tryLock());
  }
  const { port1, port2 } = new MessageChannel();
  for (let i = 0; i < 3; i++) {
    port1.postMessage(memory);
    assert.ok((await port2.receive()) instanceof SharedArrayBuffer);
  }
  port1.close();
});

const TYPES = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'bigInt64', 'bigUint64', 'float32', 'float64'];

/** A view with `count` random elements, not at the buffer's beginning. */
function filled(type, count) {
  const bytes = new SharedBuffer(16 + count * 8);
  const view = bytes.as(type, 16, count);
  const { array } = view;
  for (let i = 0; i < count; i++) {
    if (type.startsWith('big')) array[i] = BigInt(Math.floor(random() * 2 ** 53)) * (random() < 0.5 ? -1n : 1n);
    else array[i] = type.startsWith('float') ? random() - 0.5 : Math.floor((random() - 0.5) * 2 ** 32);
  }
  return view;
}

const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength)));

test('sort: every type, in place, alone and in parallel, the same bits as TypedArray.prototype.sort', async () => {
  for (const type of TYPES) {
    for (const [count, parallel] of [[0, false], [1, true], [1000, false], [150_000, false], [150_000, true]]) {
      const view = filled(type, count);
      const wanted = view.array.slice().sort();
      const before = bytesOf(new Uint8Array(view.buffer, 0, 16));
      const result = await pool.run('sort', view, { parallel });
      assert.equal(result, view, 'the same object comes back');
      assert.ok(bytesOf(view).equals(bytesOf(wanted)), `${type}, ${count}, ${parallel}`);
      assert.ok(bytesOf(new Uint8Array(view.buffer, 0, 16)).equals(before), 'what is outside stays');
    }
  }
});

test('sort takes a SharedBuffer, a SharedArrayBuffer, a typed array over one, or { data }', async () => {
  const shared = new SharedBuffer(16);
  for (const form of [shared, shared.buffer, new Int32Array(shared.buffer), shared.as('int32')]) {
    new Int32Array(shared.buffer).set([3, -1, 2, 0]);
    assert.equal(await pool.run('sort', form), form);
    assert.deepEqual([...new Int32Array(shared.buffer)], [-1, 0, 2, 3]);
    assert.equal(await pool.run('sort', { data: form, parallel: true }), form);
  }
  const results = await pool.map('sort', [new Uint8Array([2, 1]), shared, shared.as('uint8', 4, 4)]);
  assert.deepEqual([...results[0]], [1, 2]);
  assert.equal(results[1], shared);
  const floats = new Float64Array([2, NaN, -0, 0, -Infinity]);
  const view = new SharedBuffer(40).as('float64');
  view.array.set(floats);
  await pool.run('sort', view, { parallel: true });
  assert.deepEqual([...view.array], [...floats.sort()]);
});

test('sort of many floats in parallel, with NaNs of both signs among them', async () => {
  const view = filled('float64', 400_000);
  const odd = new BigUint64Array(view.buffer, 16);
  for (let i = 0; i < 400_000; i += 97) odd[i] = i % 2 ? 0xfff8_0000_0000_0000n : 0x7ff8_0000_0000_0000n;
  for (let i = 5; i < 400_000; i += 1001) view.array[i] = i % 2 ? -0 : Infinity;
  const wanted = Float64Array.from(view.array).sort();
  await pool.run('sort', view, { parallel: true });
  for (let i = 0; i < wanted.length; i++) if (!Object.is(view.array[i], wanted[i])) assert.fail(`element ${i}`);
});

test('sum: exact for integers, in the order that is asked for with floats', async () => {
  for (const type of TYPES) {
    const view = filled(type, 300_000);
    const wanted = type.startsWith('big') ? view.array.reduce((a, b) => a + b, 0n) : view.array.reduce((a, b) => a + b, 0);
    for (const parallel of [false, true]) {
      assert.equal(await pool.run('sum', { data: view, order: 'sequential' }, { parallel }), wanted, type);
      const sum = await pool.run('sum', view, { parallel });
      assert.equal(sum, await pool.run('sum', view.array.slice()), `${type}, not shared`);
      if (type.startsWith('float')) assert.ok(Math.abs(sum - wanted) < 1e-6, type);
      else assert.equal(sum, wanted, type);
    }
  }
  assert.equal(await pool.run('sum', new SharedBuffer(0)), 0);
  await assert.rejects(pool.run('sum', { data: new Float64Array(1), order: 'any' }), { code: 'ERR_RW_INVALID_INPUT' });
  assert.equal(await pool.run('sum', new BigUint64Array([2n ** 64n - 1n, 2n ** 64n - 1n])), 2n ** 65n - 2n);
  assert.equal(await pool.run('sum', new BigInt64Array([-(2n ** 63n), -(2n ** 63n)])), -(2n ** 64n));
});

test('fill: as TypedArray.prototype.fill, in place on shared memory', async () => {
  for (const value of [0, -1, 3.7, 300, -2.5, NaN, 2 ** 40, 254.5]) {
    for (const Type of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array]) {
      const wanted = new Type(9).fill(value);
      const shared = new Type(new SharedArrayBuffer(72), 0, 9);
      assert.equal(await pool.run('fill', { data: shared, value }), shared);
      assert.deepEqual([...shared], [...wanted], `${Type.name} ${value}`);
      const own = new Type(9);
      assert.deepEqual(await pool.run('fill', { data: own, value }), wanted);
      assert.deepEqual(own, new Type(9), 'a plain array is copied');
    }
  }
  const big = new SharedBuffer(32).as('bigUint64');
  await pool.run('fill', { data: big, value: -1n });
  assert.equal(big.load(3), 2n ** 64n - 1n);
  const large = filled('int32', 700_000);
  await pool.run('fill', { data: large, value: 7 }, { parallel: true });
  assert.ok(large.array.every((element) => element === 7));
  await assert.rejects(pool.run('fill', { data: big, value: 1 }), { code: 'ERR_RW_INVALID_INPUT' });
  await assert.rejects(pool.run('fill', { data: large, value: 1n }), { code: 'ERR_RW_INVALID_INPUT' });
});

test('histogram: byte values, and bins', async () => {
  const view = filled('uint8', 600_001);
  const wanted = new Float64Array(256);
  for (const byte of view.array) wanted[byte]++;
  assert.deepEqual(await pool.run('histogram', view), wanted);
  assert.deepEqual(await pool.run('histogram', view, { parallel: true }), wanted);
  assert.deepEqual(await pool.run('histogram', view.array.slice()), wanted);
  const floats = new Float64Array([0, 0.24, 0.25, 0.5, 1, 1.01, -0.1, NaN, 0.99]);
  const shared = new Float64Array(new SharedArrayBuffer(72));
  shared.set(floats);
  for (const data of [floats, shared]) {
    assert.deepEqual(await pool.run('histogram', { data, bins: 4, min: 0, max: 1 }), Float64Array.of(2, 1, 1, 2));
  }
  for (const bins of [{ bins: 0, min: 0, max: 1 }, { bins: 2, min: 1, max: 1 }, { bins: 2, min: 0, max: NaN }, { bins: 70_000, min: 0, max: 1 }]) {
    await assert.rejects(pool.run('histogram', { data: floats, ...bins }), { code: 'ERR_RW_OUT_OF_RANGE' });
  }
});

test('hashes of a range of shared memory', async () => {
  const view = filled('uint8', 5_000_017);
  const copy = bytesOf(view);
  const sha256 = createHash('sha256').update(copy).digest('hex');
  const blake3 = await pool.run('blake3', { data: copy, encoding: 'hex' });
  const crc32 = await pool.run('crc32', copy);
  if (zlib.crc32) assert.equal(crc32, zlib.crc32(copy));
  for (const parallel of [false, true]) {
    assert.equal(await pool.run('sha256', { data: view, encoding: 'hex' }, { parallel }), sha256);
    assert.equal(await pool.run('blake3', { data: view, encoding: 'hex' }, { parallel }), blake3);
    assert.equal(await pool.run('crc32', view, { parallel }), crc32);
  }
  assert.equal((await pool.run('wordCount', new Uint8Array(view.buffer, 0, 16))).bytes, 16);
});

test('a pool of one thread does parallel work alone', async () => {
  const view = filled('float64', 200_000);
  const wanted = view.array.slice().sort();
  await single.run('sort', view, { parallel: true });
  assert.ok(bytesOf(view).equals(bytesOf(wanted)));
});

test('parallel tasks on a busy pool do not wait for each other', { timeout: 60_000 }, async () => {
  const views = Array.from({ length: 12 }, () => filled('float64', 100_000));
  const wanted = views.map((view) => view.array.slice().sort());
  await Promise.all(views.map((view) => pool.run('sort', view, { parallel: true })));
  views.forEach((view, i) => assert.ok(bytesOf(view).equals(bytesOf(wanted[i]))));
});

test('tasks that want one range wait for each other, and stop when they should', async () => {
  const view = filled('float64', 100_000);
  const runs = Array.from({ length: 10 }, (_, i) =>
    i % 2 ? pool.run('sort', view, { parallel: true }) : pool.run('fill', { data: view, value: i }));
  await Promise.all(runs);
  assert.ok(view.array.every((element) => element === view.array[0]), 'never half of two');
  const stop = new AbortController();
  const many = Array.from({ length: 6 }, () => pool.run('sort', view, { signal: stop.signal }));
  stop.abort();
  for (const { reason } of await Promise.allSettled(many)) assert.equal(reason?.name, 'AbortError');
});

test('nothing of the input is copied: a task sees what is written after it was submitted', async () => {
  const shared = new SharedBuffer(8);
  const wait = pool.run('atomicWait', { buffer: shared, value: 0 });
  shared.store(1, 9);
  await until(() => shared.notify(0) === 1, 'the task waits');
  await wait;
  const { pool: busy, free } = await busyPool();
  const sum = busy.run('sum', shared);
  shared.store(1, 100);
  free();
  assert.equal(await sum, 100);
  await busy.close();
});

test('wrong inputs are told', async () => {
  const view = new SharedBuffer(8).as('int8', 0, 7);
  await assert.rejects(pool.run('sort', new SharedBuffer(7)), { code: 'ERR_RW_OUT_OF_RANGE' });
  await assert.rejects(pool.run('sort', new DataView(view.buffer)), { code: 'ERR_RW_INVALID_INPUT' });
  await assert.rejects(pool.run('sum', new ArrayBuffer(8)), { code: 'ERR_RW_INVALID_INPUT' });
  await assert.rejects(pool.run('sum', 'x'), { code: 'ERR_RW_INVALID_INPUT' });
  await assert.rejects(pool.run('primes', 5, { parallel: true }), errors.InvalidArgValueError);
  await assert.rejects(pool.run('sort', view, { parallel: 1 }), errors.InvalidArgTypeError);
  await assert.rejects(pool.run('echo', view), { code: 'ERR_RW_UNSUPPORTED_VALUE' });
  assert.equal(await pool.run('noop', { deep: [view, view.buffer, new Map([[1, view]])] }), undefined);
});
