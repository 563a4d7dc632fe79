'use strict';

/** Copies of the package, as a test file gets them that resets the module registry. */

test('a copy after jest.resetModules() is whole, and its objects meet those of the first', async () => {
  const first = require('rust-workers');
  jest.resetModules();
  const second = require('rust-workers');
  expect(second.WorkerPool).not.toBe(first.WorkerPool);
  const mutex = new first.Mutex();
  const guard = mutex.lockSync();
  expect(second.Mutex.from(mutex.buffer).tryLock()).toBe(null);
  guard.release();
  const pool = new second.WorkerPool({ maxThreads: 1 });
  await expect(pool.run('sum', 'text')).rejects.toThrow(second.errors.InvalidInputError);
  await pool.close();
});

test('jest.isolateModules: a pool of a copy does its tasks, and those of a script', async () => {
  let isolated;
  jest.isolateModules(() => {
    isolated = require('rust-workers');
  });
  const pool = new isolated.WorkerPool('../scripts/task.cjs', 1);
  expect(await pool.run('fibonacci', 20)).toBe(6765);
  expect(await pool.run('render', { page: 3 })).toBe('<p>page 3</p>');
  await pool.close();
});

test('jest.mock with a factory replaces what it names', async () => {
  jest.doMock('rust-workers', () => ({ ...jest.requireActual('rust-workers'), WorkerPool: jest.fn() }));
  jest.resetModules();
  const { WorkerPool, Mutex } = require('rust-workers');
  expect(jest.isMockFunction(WorkerPool)).toBe(true);
  expect(new Mutex().tryLock()).not.toBe(null);
  jest.dontMock('rust-workers');
});
