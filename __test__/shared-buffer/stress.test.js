'use strict';

// Two JavaScript threads and two Rust threads on one element of every integer type: no increment is lost.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { SharedBuffer, WorkerPool } = require('../..');

/** Increments in all, of each type. */
const TOTAL = Number(process.env.RW_STRESS ?? 2_000_000);

const SCRIPT = `
  const { SharedBuffer } = require(${JSON.stringify(require.resolve('../..'))});
  const { parentPort, workerData } = require('node:worker_threads');
  parentPort.on('message', ({ type, count }) => {
    const view = SharedBuffer.from(workerData).as(type);
    const one = type.startsWith('big') ? 1n : 1;
    for (let i = 0; i < count; i++) view.add(1, one);
    parentPort.postMessage('done');
  });`;

test('increments from two JavaScript and two Rust threads add up', { timeout: 120_000 }, async (context) => {
  const shared = new SharedBuffer(32);
  const pool = new WorkerPool({ maxThreads: 2 });
  const workers = [0, 1].map(() => new Worker(SCRIPT, { eval: true, workerData: shared.buffer }));
  context.after(() => Promise.all([pool.close(), ...workers.map((worker) => worker.terminate())]));
  const count = TOTAL / 4;
  for (const [type, bits] of [['int8', 8], ['uint8', 8], ['int16', 16], ['uint16', 16], ['int32', 32], ['uint32', 32], ['bigInt64', 64], ['bigUint64', 64]]) {
    const view = shared.as(type);
    const zero = type.startsWith('big') ? 0n : 0;
    shared.as('uint8').array.fill(0);
    await Promise.all([
      ...workers.map((worker) => {
        const done = new Promise((resolve) => worker.once('message', resolve));
        worker.postMessage({ type, count });
        return done;
      }),
      pool.run('atomicAdd', { buffer: view, index: 1, count }),
      pool.run('atomicAdd', { buffer: view, index: 1, count }),
    ]);
    const signed = !type.toLowerCase().includes('uint');
    const wanted = signed ? BigInt.asIntN(bits, BigInt(TOTAL)) : BigInt.asUintN(bits, BigInt(TOTAL));
    assert.equal(BigInt(view.load(1)), wanted, type);
    assert.equal(view.load(0), zero, 'the neighbours stay');
    assert.equal(view.load(2), zero);
  }
});
