/** Copies of the package, as a test file gets them that resets the module registry. */

import { expect, test, vi } from 'vitest';

test('vi.resetModules(): what is imported again works with what was there before', async () => {
  const first = await import('rust-workers');
  vi.resetModules();
  const second = await import('rust-workers');
  const mutex = new first.Mutex();
  const guard = mutex.lockSync();
  expect(second.Mutex.from(mutex.buffer).tryLock()).toBe(null);
  guard.release();
  const pool = new second.WorkerPool({ maxThreads: 1 });
  await expect(pool.run('sum', 'text')).rejects.toThrow(second.errors.InvalidInputError);
  await pool.close();
});
