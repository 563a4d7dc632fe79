// SharedBuffer, its views, rustAtomics, and tasks on shared memory.

import rustWorkers = require('rust-workers');
import type { AtomicView } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { SharedBuffer, rustAtomics } = rustWorkers;

const shared = new SharedBuffer(64, { maxByteLength: 128 });
const floats: AtomicView<'float64'> = shared.as('float64', 8, 2);
const bigs = shared.as('bigInt64');

const number: number = floats.load(0);
const big: bigint = bigs.add(0, 1n);
const array: Float64Array = floats.array;
const woken: number = shared.notify(0, 1);
const outcome: 'ok' | 'not-equal' | 'timed-out' = shared.wait(0, 0, 5);
const later: Promise<'ok' | 'not-equal' | 'timed-out'> = shared.waitAsync(0, 0);
const again: rustWorkers.SharedBuffer = SharedBuffer.from(shared.buffer).grow(128);
const old: number = rustAtomics.add(new Int32Array(shared.buffer), 0, 1);
// @ts-expect-error a BigInt element takes BigInts
bigs.add(0, 1);
// @ts-expect-error no such type
shared.as('int7');
// @ts-expect-error not shared memory
SharedBuffer.from(new ArrayBuffer(8));

async function tasks(pool: rustWorkers.WorkerPool) {
  const sorted = await pool.run('sort', floats, { parallel: true });
  expect<Equal<typeof sorted, AtomicView<'float64'>>>();
  const filled: Int8Array = await pool.run('fill', { data: new Int8Array(4), value: 1 });
  const counts: Float64Array = await pool.run('histogram', { data: shared, bins: 4, min: 0, max: 1 });
  const sum: number | bigint = await pool.run('sum', shared);
  const wait: 'ok' | 'not-equal' | 'timed-out' = await pool.run('atomicWait', { buffer: shared, value: 0 });
  const hex: string = await pool.run('blake3', { data: shared, encoding: 'hex' }, { parallel: true });
  return [filled, counts, sum, wait, hex];
}

export { number, big, array, woken, outcome, later, again, old, tasks };
