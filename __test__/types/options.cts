/**
 * Options that may be given as undefined, under exactOptionalPropertyTypes: Node's types allow it, and so programs pass on what
 * they may or may not have got. Nothing here runs.
 */

import { MessageChannel, Mutex, RwLock, Semaphore, SharedBuffer, Worker, WorkerPool } from 'rust-workers';
import type { LockOptions, RunOptions, ScriptPoolOptions, ScriptRunOptions, WorkerPoolOptions } from 'rust-workers';

/** The names of options that cannot be given as undefined. */
type Refusing<Options> = { [Name in keyof Options]-?: undefined extends Options[Name] ? never : Name }[keyof Options];

const everyOptionMayBeUndefined: [
  Refusing<WorkerPoolOptions>,
  Refusing<ScriptPoolOptions>,
  Refusing<NonNullable<ScriptPoolOptions['recycle']>>,
  Refusing<RunOptions>,
  Refusing<ScriptRunOptions>,
  Refusing<LockOptions>,
] extends [never, never, never, never, never, never]
  ? true
  : false = true;

async function passedOn(given: { limit?: number | undefined; signal?: AbortSignal | undefined; hex?: 'hex' | undefined }) {
  const pool = new WorkerPool({ maxThreads: given.limit, maxQueue: given.limit });
  await pool.run('sha256', { data: 'a', encoding: given.hex }, { signal: given.signal, timeout: given.limit, deadline: given.limit, runTimeout: given.limit });
  await pool.map('primes', [{ limit: 5, list: undefined }], { priority: given.limit });
  await pool.close({ timeout: given.limit });
  const script = new WorkerPool('./script.js', { killTimeout: given.limit, env: undefined, recycle: { afterTasks: given.limit } });
  await script.run('render', 1, { signal: given.signal, onProgress: undefined, transfer: undefined, name: undefined });
  await new MessageChannel({ capacity: given.limit, keepBuffers: undefined }).port1.receive({ timeout: given.limit });
  await new Mutex().lock({ signal: given.signal, timeout: given.limit });
  new RwLock({ maxReaders: given.limit });
  new Semaphore(1, { max: given.limit });
  new SharedBuffer(8, { maxByteLength: given.limit });
  new Worker('./worker.js', { name: undefined, transferList: undefined, env: undefined });
}

export { everyOptionMayBeUndefined, passedOn };
