/** The locks as TypeScript sees them. Nothing here runs. */

import { Barrier, Condvar, Mutex, RwLock, Semaphore, errors } from 'rust-workers';
import type { LockGuard, MutexGuard } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

async function locking(signal: AbortSignal, shared: SharedArrayBuffer) {
  const mutex = Mutex.from(shared, 8);
  const guard = await mutex.lock({ timeout: 5, signal });
  expect<Equal<typeof guard, MutexGuard>>();
  const tried = mutex.tryLock();
  expect<Equal<typeof tried, MutexGuard | null>>();
  guard[Symbol.dispose]();
  Mutex.from(mutex).lockSync({ timeout: 5 }).release();
  Mutex.from(new Int32Array(shared), 4);
  // @ts-expect-error: a blocked thread hears no signal
  mutex.lockSync({ signal });
  // @ts-expect-error: new Mutex() takes its own memory
  new Mutex(shared);

  const condvar = new Condvar();
  const notified = await condvar.wait(guard);
  expect<Equal<typeof notified, boolean>>();
  const lock = new RwLock({ maxReaders: 2 });
  const reader = lock.readSync();
  expect<Equal<typeof reader, LockGuard>>();
  const permits = await new Semaphore(2, { max: 3 }).acquire(2, { signal });
  permits.release();
  const { leader } = await new Barrier(1).wait();
  expect<Equal<typeof leader, boolean>>();
  // @ts-expect-error: how many parties?
  new Barrier();
}

function narrowing(error: unknown) {
  if (error instanceof errors.LockTimeoutError) expect<Equal<typeof error.name, 'TimeoutError'>>();
  if (error instanceof errors.LockPoisonedError) expect<Equal<typeof error.code, 'ERR_RW_LOCK_POISONED'>>();
}

export = { locking, narrowing };
