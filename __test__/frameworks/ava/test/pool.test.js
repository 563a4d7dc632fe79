import { createHash } from 'node:crypto';

import test from 'ava';
import { WorkerPool, errors } from 'rust-workers';

const HELLO = createHash('sha256').update('hello').digest('hex');

test('a digest, as node:crypto has it', async (t) => {
  const pool = new WorkerPool({ maxThreads: 2 });
  t.is(await pool.run('sha256', { data: 'hello', encoding: 'hex' }), HELLO);
  t.deepEqual(await pool.map('sum', [Float64Array.of(1, 2), Float64Array.of(3, 4)]), [3, 7]);
  await pool.close();
});

test('a wrong input is an error of its class', async (t) => {
  const pool = new WorkerPool({ maxThreads: 1 });
  await t.throwsAsync(pool.run('sum', 'text'), { instanceOf: errors.InvalidInputError });
  await t.throwsAsync(pool.run('sum', 'text'), { instanceOf: TypeError });
  t.throws(() => new WorkerPool({ maxThreads: 0 }), { instanceOf: errors.OutOfRangeError });
  await pool.close();
  await t.throwsAsync(pool.run('noop'), { code: 'ERR_RW_POOL_CLOSED' });
});

test('an abort stops a task in the middle', async (t) => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  const running = pool.run('primes', 10_000_000_000, { signal: controller.signal });
  controller.abort(reason);
  const error = await t.throwsAsync(running, { name: 'AbortError' });
  t.is(error.cause, reason);
  await pool.close();
});

test('a script: results and errors', async (t) => {
  const pool = new WorkerPool(new URL('../scripts/task.cjs', import.meta.url), { maxThreads: 2 });
  t.is(await pool.run('render', { page: 1 }), '<p>page 1</p>');
  t.deepEqual(await pool.map('render', [{ page: 1 }, { page: 2 }]), ['<p>page 1</p>', '<p>page 2</p>']);
  await t.throwsAsync(pool.run('fail', 'on purpose'), { instanceOf: RangeError, message: 'on purpose', code: 'E_ON_PURPOSE' });
  await pool.close();
});

test('a script: an abort, once it runs', async (t) => {
  const pool = new WorkerPool(new URL('../scripts/task.cjs', import.meta.url), { maxThreads: 1 });
  const controller = new AbortController();
  const running = pool.run('endless', undefined, { signal: controller.signal, onProgress: () => controller.abort() });
  await t.throwsAsync(running, { instanceOf: errors.TaskCancelledError });
  await pool.close();
});
