'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Barrier, Condvar, Mutex, RwLock, Semaphore } = require('../..');
const { thread } = require('../support/thread');
const { codeOf } = require('./support');

const makers = {
  Mutex: [Mutex, (buffer, offset) => Mutex.create(buffer, offset)],
  RwLock: [RwLock, (buffer, offset) => RwLock.create(buffer, offset, { maxReaders: 4 })],
  Semaphore: [Semaphore, (buffer, offset) => Semaphore.create(buffer, offset, 2, { max: 3 })],
  Condvar: [Condvar, (buffer, offset) => Condvar.create(buffer, offset)],
  Barrier: [Barrier, (buffer, offset) => Barrier.create(buffer, offset, 2)],
};

for (const [name, [Class, create]] of Object.entries(makers)) {
  test(`${name}: it is found again where it was made, by every way to name the place`, async () => {
    const buffer = new SharedArrayBuffer(256);
    const lock = create(buffer, 64);
    assert.equal(lock.buffer, buffer);
    assert.equal(lock.byteOffset, 64);
    for (const again of [
      Class.from(buffer, 64),
      Class.from(lock),
      Class.from(new Uint8Array(buffer, 32), 32),
      Class.from(structuredClone(lock)),
      Class.from({ buffer }, 64),
    ]) {
      assert.ok(again instanceof Class);
      assert.equal(again.byteOffset, 64);
    }
    const told = await thread(`tell(${name}.from(data).byteOffset)`, lock).ended;
    assert.deepEqual(told, [64]);
  });

  test(`${name}: what is no lock of this kind is refused`, async () => {
    const buffer = new SharedArrayBuffer(256);
    create(buffer, 64);
    assert.equal(await codeOf(() => Class.from(buffer, 0)), 'ERR_RW_INVALID_ARG_VALUE');
    for (const [other, [, make]] of Object.entries(makers)) {
      if (other === name) continue;
      make(buffer, 128);
      assert.equal(await codeOf(() => Class.from(buffer, 128)), 'ERR_RW_INVALID_ARG_VALUE', other);
    }
    for (const offset of [4, 60, 248, 256, 1e9]) {
      assert.equal(await codeOf(() => Class.from(buffer, offset)), 'ERR_RW_OUT_OF_RANGE', `${offset}`);
      assert.equal(await codeOf(() => create(buffer, offset)), 'ERR_RW_OUT_OF_RANGE', `${offset}`);
    }
    for (const offset of [-8, 1.5, NaN]) {
      assert.equal(await codeOf(() => Class.from(buffer, offset)), 'ERR_RW_OUT_OF_RANGE', `${offset}`);
    }
    assert.equal(await codeOf(() => Class.from(buffer, '64')), 'ERR_RW_INVALID_ARG_TYPE');
    for (const source of [undefined, null, 5, {}, new ArrayBuffer(64), new Uint8Array(64), { buffer: {} }]) {
      assert.equal(await codeOf(() => Class.from(source)), 'ERR_RW_INVALID_ARG_TYPE');
    }
    assert.equal(await codeOf(() => Class.from({ buffer, byteOffset: '64' })), 'ERR_RW_INVALID_ARG_TYPE');
  });
}

test('a RwLock whose cells lie about its size is refused', async () => {
  const lock = new RwLock({ maxReaders: 4 });
  const cells = new Int32Array(lock.buffer);
  for (const slots of [0, -1, 5, 1025, 2 ** 31 - 1]) {
    Atomics.store(cells, 2, slots);
    assert.equal(await codeOf(() => RwLock.from(lock)), 'ERR_RW_INVALID_ARG_VALUE', `${slots}`);
  }
});

test('counts out of range are refused', async () => {
  assert.equal(await codeOf(() => new Barrier(0)), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(await codeOf(() => new Barrier()), 'ERR_RW_INVALID_ARG_TYPE');
  assert.equal(await codeOf(() => new Semaphore(-1)), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(await codeOf(() => new Semaphore(3, { max: 2 })), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(await codeOf(() => new Semaphore()), 'ERR_RW_INVALID_ARG_TYPE');
  assert.equal(await codeOf(() => new RwLock({ maxReaders: 0 })), 'ERR_RW_OUT_OF_RANGE');
  assert.equal(await codeOf(() => new RwLock({ maxReaders: 1025 })), 'ERR_RW_OUT_OF_RANGE');
});

test('cells that were written over make an error, not a hang', async () => {
  const mutex = new Mutex();
  // A token that was never given out.
  Atomics.store(new Int32Array(mutex.buffer), 1, 77_777_777);
  assert.equal(await codeOf(() => mutex.lockSync()), 'ERR_RW_LOCK_POISONED');
  const other = new Mutex();
  Atomics.store(new Int32Array(other.buffer), 0, 5);
  Atomics.store(new Int32Array(other.buffer), 1, 1);
  assert.equal(await codeOf(() => other.lock()), 'ERR_RW_INVALID_ARG_VALUE');
});
