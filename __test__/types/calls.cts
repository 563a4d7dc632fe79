/** What index.d.ts promises about proxies, told to tsc. Nothing here runs. */

import rustWorkers = require('rust-workers');
import type { ReadableStream } from 'node:stream/web';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { WorkerPool } = rustWorkers;

/** As `typeof import('./worker.js')` is of an ES module. */
interface Script {
  default: (page: number, scale?: number) => Promise<Uint8Array>;
  render: (input: { page: number }) => Promise<string>;
  add: (a: number, b: number) => number;
  ping: () => 'pong';
  pick: <T>(list: T[]) => Promise<T>;
  nested: () => Promise<Promise<number>>;
  sort: (words: string[]) => string[];
  version: string;
  rows: (query: string, from?: number) => Generator<{ id: number }, string>;
  lines: () => AsyncGenerator<string, void>;
  bytes: (n: number) => ReadableStream<Uint8Array>;
  list: () => Promise<number[]>;
}

/** As it is of a CommonJS module whose `module.exports` is a function. */
type Exported = ((page: number) => string) & { other: (a: boolean) => bigint };

async function proxies() {
  const pool = new WorkerPool('./script.js');
  const api = pool.proxy<Script>();
  expect<Equal<Awaited<typeof api>, typeof api>>();
  const page = await api.render({ page: 1 });
  expect<Equal<typeof page, string>>();
  const sum = await api.add(1, 2);
  expect<Equal<typeof sum, number>>();
  const pong = await api.ping();
  expect<Equal<typeof pong, 'pong'>>();
  const picked = await api.pick(['a', 'b']);
  expect<Equal<typeof picked, string>>();
  const nested = await api.nested();
  expect<Equal<typeof nested, number>>();
  const words = await api.sort(['b']);
  expect<Equal<typeof words, string[]>>();
  const bytes = await api(1, 2);
  expect<Equal<typeof bytes, Uint8Array>>();
  const same = await api.default(1);
  expect<Equal<typeof same, Uint8Array>>();
  const { signal } = new AbortController();
  const limited = await api.add.with({ signal, timeout: 5 })(1, 2);
  expect<Equal<typeof limited, number>>();
  const other = await api.with({ timeout: 5 }).with({ priority: 1 }).add(1, 2);
  expect<Equal<typeof other, number>>();
  const again = await api.with({ timeout: 5 })(1);
  expect<Equal<typeof again, Uint8Array>>();
  const later = await api.render.with({ priority: 1 }).with({ timeout: 5 })({ page: 1 });
  expect<Equal<typeof later, string>>();
  const digest = await api.sha256({ data: 'x', encoding: 'hex' });
  expect<Equal<typeof digest, string>>();
  // @ts-expect-error: no such function
  await api.rendr({ page: 1 });
  // @ts-expect-error: not a function
  await api.version();
  // @ts-expect-error: another input
  await api.render({ pages: 1 });
  // @ts-expect-error: one argument is missing
  await api.add(1);
  // @ts-expect-error: an option that is misspelled
  api.add.with({ timout: 5 });
  // @ts-expect-error: nothing can be put there
  api.add = api.add;
}

async function knownByThePool() {
  const pool = new WorkerPool<Exported>('./script.js', 2);
  const api = pool.proxy({ timeout: 1000 });
  const text = await api(1);
  expect<Equal<typeof text, string>>();
  const big = await api.other(true);
  expect<Equal<typeof big, bigint>>();
  // @ts-expect-error: another input
  await api(true);
}

async function parts() {
  const pool = new WorkerPool<Script>('./script.js');
  for await (const row of pool.iterate('rows', 'query', { highWaterMark: 4, timeout: 5 })) expect<Equal<typeof row, { id: number }>>();
  for await (const line of pool.iterate('lines')) expect<Equal<typeof line, string>>();
  for await (const number of pool.iterate('list')) expect<Equal<typeof number, number>>();
  const step = await pool.iterate('rows', 'query').next();
  if (step.done) expect<Equal<typeof step.value, string>>();
  const api = pool.proxy();
  for await (const row of api.rows.iterate('query', 5)) expect<Equal<typeof row, { id: number }>>();
  for await (const chunk of api.bytes.with({ highWaterMark: 1 }).iterate(1)) expect<Equal<typeof chunk, Uint8Array>>();
  for await (const number of api.list.iterate()) expect<Equal<typeof number, number>>();
  const untyped = new WorkerPool('./script.js');
  for await (const part of untyped.iterate('whatever', 1)) expect<Equal<typeof part, any>>();
  for await (const part of untyped.iterate<string>('whatever', 1)) expect<Equal<typeof part, string>>();
  for await (const part of untyped.proxy().whatever.iterate(1, 2)) expect<Equal<typeof part, any>>();
  await using left = pool.iterate('lines');
  // @ts-expect-error: it comes in parts
  await api.rows('query');
  // @ts-expect-error: another input
  pool.iterate('rows', 5);
  // @ts-expect-error: an option that is misspelled
  pool.iterate('rows', 'query', { highWatermark: 4 });
  return left;
}

async function functions() {
  const pool = new WorkerPool();
  const sum = await pool.exec((a: number, b: number) => a + b, [1, 2]);
  expect<Equal<typeof sum, number>>();
  const inferred = await pool.exec((a, b) => [a, b], [1, 'x']);
  const [, text] = inferred;
  text satisfies string | number;
  const none = await pool.exec(async () => 'text');
  expect<Equal<typeof none, string>>();
  const captured = await pool.exec((a: number) => a > 1, [1], { capture: { limit: 5 }, timeout: 10, onProgress: () => {} });
  expect<Equal<typeof captured, boolean>>();
  const named = await pool.exec<number>('sum', [new Float64Array(1)]);
  expect<Equal<typeof named, number>>();
  for await (const part of pool.iterate(function* (n: number) { yield `${n}`; }, [5], { highWaterMark: 2, capture: {} })) {
    expect<Equal<typeof part, string>>();
  }
  // @ts-expect-error: another argument
  await pool.exec((a: number) => a, ['x']);
  // @ts-expect-error: an argument is missing
  await pool.exec((a: number, b: number) => a + b, [1]);
  // @ts-expect-error: an option that is misspelled
  await pool.exec(() => 1, [], { captures: {} });
}

async function native() {
  const api = new WorkerPool().proxy();
  const digest = await api.sha256('x');
  expect<Equal<typeof digest, Buffer>>();
  const list = await api.primes.with({ priority: 1 })({ limit: 10, list: true });
  expect<Equal<typeof list, Uint32Array>>();
  await api.noop();
  // @ts-expect-error: it needs its input
  await api.sha256();
  // @ts-expect-error: no such task
  await api.render(1);
  // @ts-expect-error: an option of scripts
  api.sha256.with({ onOutput: () => {} });
}

async function unknown() {
  const api = new WorkerPool('./script.js').proxy();
  const anything = await api.whatever(1, 'two');
  expect<Equal<typeof anything, any>>();
  const other = await api(1);
  expect<Equal<typeof other, any>>();
  const some = await api.whatever.with({ spread: false })(1);
  expect<Equal<typeof some, any>>();
}

void [functions, parts, proxies, knownByThePool, native, unknown];
