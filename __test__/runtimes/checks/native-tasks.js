'use strict';

const { assert, rejection, rw } = require('../support');

const { WorkerPool } = rw;

/** Runs with a pool that is closed afterwards. */
const withPool = (use, options) => async () => {
  const pool = new WorkerPool(options);
  await use(pool);
  await pool.close();
};

module.exports = {
  area: 'native tasks',
  checks: {
    'run: numbers, texts, objects': withPool(async (pool) => {
      assert.equal(await pool.run('fibonacci', 20), 6765);
      assert.deepEqual(await pool.run('wordCount', 'one two\n'), { lines: 1, words: 2, characters: 8, bytes: 8 });
      const value = { a: [1, 2n, 'ü'], d: new Date(5), m: new Map([[1, new Set(['x'])]]), u: undefined, n: null, b: true };
      assert.deepEqual(await pool.run('echo', value), value);
    }),
    'map: an array': withPool(async (pool) => {
      assert.deepEqual(await pool.map('fibonacci', [5, 6, 7, 8]), [5, 8, 13, 21]);
      const many = Array.from({ length: 5000 }, (_, i) => i);
      assert.deepEqual(await pool.map('echo', many), many);
    }),
    'map: an async iterable': withPool(async (pool) => {
      async function* source() {
        for (let i = 0; i < 20; i++) yield i;
      }
      assert.equal((await pool.map('fibonacci', source())).at(-1), 4181);
    }),
    'typed arrays in and out': withPool(async (pool) => {
      assert.deepEqual(await pool.run('sort', Float64Array.of(3, -0, NaN, 1)), Float64Array.of(-0, 1, 3, NaN));
      assert.deepEqual(await pool.run('sort', BigInt64Array.of(3n, -1n)), BigInt64Array.of(-1n, 3n));
      assert.equal(await pool.run('sum', Uint8Array.of(1, 2, 3)), 6);
      const primes = await pool.run('primes', { limit: 30, list: true });
      assert.deepEqual([primes.constructor.name, ...primes], ['Uint32Array', 2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
      const digest = await pool.run('sha256', Buffer.from('abc'));
      assert.ok(Buffer.isBuffer(digest));
      assert.equal(digest.toString('hex').slice(0, 8), 'ba7816bf');
    }),
    'large bytes in and out': withPool(async (pool) => {
      const large = new Float64Array(1_000_000).map((_, i) => 1_000_000 - i);
      const sorted = await pool.run('sort', large);
      assert.deepEqual([sorted.length, sorted[0], sorted[999_999], large[0]], [1_000_000, 1, 1_000_000, 1_000_000]);
      const copy = structuredClone(sorted.buffer, { transfer: [sorted.buffer] });
      assert.deepEqual([copy.byteLength, sorted.byteLength], [8_000_000, 0]);
    }),
    'transfer gives the memory away': withPool(async (pool) => {
      const numbers = Float64Array.of(3, 1, 2);
      const sorted = await pool.run('sort', numbers, { transfer: [numbers.buffer] });
      assert.deepEqual([...sorted], [1, 2, 3]);
      assert.equal(numbers.byteLength, 0);
    }),
    'abort in the middle of a task': withPool(async (pool) => {
      const controller = new AbortController();
      const run = pool.run('primes', 1e10, { signal: controller.signal });
      while (pool.stats().running === 0) await new Promise(setImmediate);
      controller.abort('enough');
      const error = await rejection(run);
      assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ERR_RW_TASK_CANCELLED', 'enough']);
      assert.equal(await pool.run('fibonacci', 10), 55);
    }),
    'a time limit ends a task': withPool(async (pool) => {
      const error = await rejection(pool.run('primes', 1e10, { timeout: 30 }));
      assert.deepEqual([error.name, error.code], ['TimeoutError', 'ERR_RW_TASK_TIMEOUT']);
    }),
    'errors have classes and codes': withPool(async (pool) => {
      assert.equal((await rejection(pool.run('noSuchTask', 1))).code, 'ERR_RW_UNKNOWN_TASK');
      assert.equal((await rejection(pool.run('fibonacci', 'text'))).code, 'ERR_RW_INVALID_INPUT');
      assert.equal((await rejection(pool.run('echo', () => {}))).code, 'ERR_RW_UNSUPPORTED_VALUE');
      const panic = await rejection(pool.run('panic', 'on purpose'));
      assert.ok(panic instanceof rw.errors.TaskPanickedError, String(panic));
      assert.equal(panic.code, 'ERR_RW_TASK_PANICKED');
    }),
    'a full queue refuses, then drains': withPool(async (pool) => {
      const running = pool.run('sleep', 60);
      const waiting = pool.run('sleep', 1);
      const error = await rejection(pool.run('sleep', 1));
      assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
      const drained = new Promise((resolve) => pool.once('drain', resolve));
      await Promise.all([running, waiting, drained]);
    }, { maxThreads: 1, maxQueue: 1 }),
    'close finishes what was accepted': async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const results = Promise.all([pool.run('sleep', 20), pool.run('fibonacci', 10)]);
      const closed = new Promise((resolve) => pool.once('close', resolve));
      await pool.close();
      assert.deepEqual(await results, [undefined, 55]);
      await closed;
      assert.equal((await rejection(pool.run('noop', 1))).code, 'ERR_RW_POOL_CLOSED');
    },
    'async disposal closes': async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const result = pool.run('fibonacci', 10);
      await pool[Symbol.asyncDispose]();
      assert.equal(await result, 55);
      assert.equal(pool.closed, true);
    },
    'destroy stops what runs': async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      const all = [pool.run('primes', 1e10), pool.run('primes', 1e10)].map(rejection);
      await pool.destroy();
      for (const error of await Promise.all(all)) assert.equal(error.code, 'ERR_RW_POOL_CLOSED');
    },
  },
};
