'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');

const { WorkerPool, errors } = require('rust-workers');

const HELLO = createHash('sha256').update('hello').digest('hex');

it('a digest, as node:crypto has it', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  assert.equal(await pool.run('sha256', { data: 'hello', encoding: 'hex' }), HELLO);
  assert.deepEqual(await pool.map('sum', [Float64Array.of(1, 2), Float64Array.of(3, 4)]), [3, 7]);
  await pool.close();
});

it('a wrong input is an error of its class', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  await assert.rejects(pool.run('sum', 'text'), errors.InvalidInputError);
  await assert.rejects(pool.run('sum', 'text'), TypeError);
  assert.throws(() => new WorkerPool({ maxThreads: 0 }), errors.OutOfRangeError);
  await pool.close();
  await assert.rejects(pool.run('noop'), { code: 'ERR_RW_POOL_CLOSED' });
});

it('an abort stops a task in the middle', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const running = pool.run('primes', 10_000_000_000, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(running, { name: 'AbortError', cause: reason });
  await pool.close();
});

it('a script: results and errors', async () => {
  const pool = new WorkerPool('../scripts/task.cjs', { maxThreads: 2 });
  assert.equal(await pool.run('render', { page: 1 }), '<p>page 1</p>');
  assert.deepEqual(await pool.map('render', [{ page: 1 }, { page: 2 }]), ['<p>page 1</p>', '<p>page 2</p>']);
  await assert.rejects(pool.run('fail', 'on purpose'), RangeError);
  await assert.rejects(pool.run('fail', 'on purpose'), { message: 'on purpose', code: 'E_ON_PURPOSE' });
  await pool.close();
});

it('a script: an abort, once it runs', async () => {
  const pool = new WorkerPool('../scripts/task.cjs', { maxThreads: 1 });
  const controller = new AbortController();
  const running = pool.run('endless', undefined, { signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(running, errors.TaskCancelledError);
  await pool.close();
});
