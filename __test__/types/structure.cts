// Deadlines and scopes.

import { WorkerPool, type Scope, errors, task } from 'rust-workers';
import type { Equal } from './equal';

declare function expect<Yes extends true>(): Yes;
expect<Equal<typeof task.deadline, Date | undefined>>();

async function scopes(): Promise<void> {
  const pool = new WorkerPool();
  const scope = pool.scope({ join: 'any', deadline: new Date(), signal: new AbortController().signal, priority: 1, runTimeout: 5 });
  expect<Equal<typeof scope, Scope<typeof pool extends WorkerPool<infer Functions> ? Functions : never>>>();
  const digest = await scope.run('sha256', 'a', { deadline: 5, runTimeout: 5 });
  expect<Equal<typeof digest, string>>();
  const list = await scope.map('fibonacci', [1, 2]);
  expect<Equal<typeof list, number[]>>();
  const blocked = scope.runSync('sha256', 'a', { deadline: 5 });
  expect<Equal<typeof blocked, string>>();
  // @ts-expect-error
  scope.runSync('sha256', 'a', { signal: new AbortController().signal });
  const transform: import('node:stream').Transform = scope.transform('fibonacci', { concurrency: 2 });
  const parallel: number = await scope.proxy().fibonacci(5);
  void [transform, parallel];
  const within = await pool.scope({ deadline: 5 }, async (inner) => inner.scope((deep) => deep.run('fibonacci', 5)));
  expect<Equal<typeof within, number>>();
  const text = await pool.scope(() => 'text');
  expect<Equal<typeof text, string>>();
  expect<Equal<Awaited<ReturnType<typeof scope.exec<number>>>, number>>();
  for await (const part of scope.iterate(function* (n: number) { yield n; }, [1])) expect<Equal<typeof part, number>>();
  scope.cancel();
  scope.cancel(new Error('why'));
  await scope.close();
  // @ts-expect-error
  pool.scope({ join: 'first' });
  // @ts-expect-error
  scope.run('nothing', 5);
  // @ts-expect-error
  pool.run('noop', null, { deadline: '5' });
  const error: unknown = null;
  if (error instanceof errors.DeadlineError) expect<Equal<typeof error.started, boolean>>();
  if (error instanceof errors.ScopeClosedError) expect<Equal<typeof error.code, 'ERR_RW_SCOPE_CLOSED'>>();

  const functions = new WorkerPool<{ add(pair: [number, number]): number }>('./worker.js');
  const sum = await functions.scope((inner) => inner.run('add', [1, 2]));
  expect<Equal<typeof sum, number>>();
}
void scopes;

async function nested(): Promise<void> {
  const pool = task.pool;
  if (pool === undefined) return;
  const sum: number = await pool.run<number>('add', [1, 2], { priority: 1 });
  const all = await pool.map<string>('render', new Set([sum]));
  expect<Equal<typeof all, string[]>>();
  const text = await pool.scope({ join: 'any' }, async (scope) => (await scope.run<string>('render')) + (await scope.scope((inner) => inner.runTask<string>())));
  expect<Equal<typeof text, string>>();
  try {
    const now = pool.runSync<number>('add', [1, 2], { timeout: 50 });
    expect<Equal<typeof now, number>>();
  } catch (error) {
    if (error instanceof errors.DeadlockError) expect<Equal<typeof error.code, 'ERR_RW_DEADLOCK'>>();
  }
  // @ts-expect-error
  pool.scope().stream;
  // @ts-expect-error
  pool.run('add', 1, { retries: 1 });
}
void nested;
