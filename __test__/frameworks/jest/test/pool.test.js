'use strict';

const { createHash } = require('node:crypto');

const { WorkerPool, errors } = require('rust-workers');

const HELLO = createHash('sha256').update('hello').digest('hex');

describe('native tasks', () => {
  test('a digest, as node:crypto has it', async () => {
    const pool = new WorkerPool({ maxThreads: 2 });
    expect(await pool.run('sha256', { data: 'hello', encoding: 'hex' })).toBe(HELLO);
    expect(await pool.map('sum', [Float64Array.of(1, 2), Float64Array.of(3, 4)])).toEqual([3, 7]);
    await pool.close();
  });

  test('a wrong input is an error of its class', async () => {
    const pool = new WorkerPool({ maxThreads: 1 });
    await expect(pool.run('sum', 'text')).rejects.toThrow(errors.InvalidInputError);
    await expect(pool.run('sum', 'text')).rejects.toBeInstanceOf(TypeError);
    expect(() => new WorkerPool({ maxThreads: 0 })).toThrow(errors.OutOfRangeError);
    await pool.close();
    await expect(pool.run('noop')).rejects.toMatchObject({ code: 'ERR_RW_POOL_CLOSED' });
  });

  test('an abort stops a task in the middle', async () => {
    const pool = new WorkerPool({ maxThreads: 1 });
    const controller = new AbortController();
    const running = pool.run('primes', 10_000_000_000, { signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    await expect(running).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'no longer wanted' } });
    await pool.close();
  });
});

describe('tasks of a script', () => {
  let pool;
  beforeAll(() => {
    pool = new WorkerPool('../scripts/task.cjs', { maxThreads: 2 });
  });
  afterAll(() => pool.close());

  test('results and errors', async () => {
    expect(await pool.run('render', { page: 1 })).toBe('<p>page 1</p>');
    expect(await pool.map('render', [{ page: 1 }, { page: 2 }])).toEqual(['<p>page 1</p>', '<p>page 2</p>']);
    await expect(pool.run('fail', 'on purpose')).rejects.toThrow('on purpose');
    await expect(pool.run('fail', 'on purpose')).rejects.toBeInstanceOf(RangeError);
    await expect(pool.run('fail', 'on purpose')).rejects.toMatchObject({ name: 'RangeError', code: 'E_ON_PURPOSE' });
  });

  test('an abort, once it runs', async () => {
    const controller = new AbortController();
    const running = pool.run('endless', undefined, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toThrow(errors.TaskCancelledError);
  });
});
