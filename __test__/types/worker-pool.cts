/** What index.d.ts promises about the pool, told to tsc. Nothing here runs. */

import rustWorkers = require('rust-workers');
import type { NoFunctions } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { WorkerPool } = rustWorkers;
/** What `new WorkerPool()` is. */
type NativePool = rustWorkers.WorkerPool<NoFunctions>;
const bytes = new Uint8Array(8);

async function constructing() {
  new WorkerPool();
  new WorkerPool({
    minThreads: 1,
    maxThreads: 4,
    idleTimeout: 500,
    maxQueue: 10,
    stackSize: 1 << 20,
    name: 'cpu',
  });
  // @ts-expect-error: a number is wanted
  new WorkerPool({ maxThreads: '4' });
  // @ts-expect-error: no such option
  new WorkerPool({ threads: 4 });
  // @ts-expect-error: options are an object
  new WorkerPool(4);
  expect<Equal<typeof made, NativePool>>();
  const made = new WorkerPool();
  // Whatever is known of its functions, it is a pool.
  const pools: rustWorkers.WorkerPool[] = [made, new WorkerPool('./script.js')];
  return pools;
}

/** Every pool, also one made of a subclass, is an instance of the class. */
function classes(value: unknown) {
  class Named extends WorkerPool {
    constructor() {
      super({ name: 'mine' });
    }
  }
  const sum: Promise<number> = new Named().run('fibonacci', 3);
  if (value instanceof WorkerPool) value.run('render', 1);
  return sum;
}

async function running(pool: NativePool) {
  expect<Equal<Awaited<ReturnType<typeof runFibonacci>>, number>>();
  function runFibonacci() {
    return pool.run('fibonacci', 30);
  }

  const count = await pool.run('primes', 100);
  expect<Equal<typeof count, number>>();
  const counted = await pool.run('primes', { limit: 100 });
  expect<Equal<typeof counted, number>>();
  const listed = await pool.run('primes', { limit: 100, list: true });
  expect<Equal<typeof listed, Uint32Array>>();
  const perhaps = await pool.run('primes', { limit: 100, list: Math.random() < 0.5 });
  expect<Equal<typeof perhaps, number | Uint32Array>>();

  const sum = await pool.run('sumSqrt', { n: 1000, iterations: 2 });
  expect<Equal<typeof sum, number>>();

  const digest = await pool.run('sha256', bytes);
  expect<Equal<typeof digest, Buffer>>();
  const hex = await pool.run('blake3', { data: 'abc', encoding: 'hex' });
  expect<Equal<typeof hex, string>>();
  const raw = await pool.run('sha512', { data: bytes });
  expect<Equal<typeof raw, Buffer>>();
  const crc = await pool.run('crc32', 'abc');
  expect<Equal<typeof crc, number>>();

  // Before TypeScript 5.7 typed arrays were not generic: so types are compared with those of their inputs.
  const unsorted = { floats: new Float64Array(3), big: new BigInt64Array(3) };
  const floats = await pool.run('sort', unsorted.floats);
  expect<Equal<typeof floats, typeof unsorted.floats>>();
  const big = await pool.run('sort', unsorted.big);
  expect<Equal<typeof big, typeof unsorted.big>>();

  const { lines, words, characters, bytes: size } = await pool.run('wordCount', Buffer.from('a b'));
  expect<Equal<typeof lines | typeof words | typeof characters | typeof size, number>>();

  const slept = await pool.run('sleep', 5);
  expect<Equal<typeof slept, undefined>>();
  const never = pool.run('panic', 'boom');
  expect<Equal<Awaited<typeof never>, never>>();
  const same = await pool.run('echo', new Map([['a', 1]]));
  expect<Equal<typeof same, Map<string, number>>>();
  const nothing = await pool.run('noop');
  expect<Equal<typeof nothing, undefined>>();

  // The result follows from the task, and not from what it is assigned to.
  // @ts-expect-error: a number
  const text: string = await pool.run('fibonacci', 30);
  // @ts-expect-error: no such task
  pool.run('fibonaci', 30);
  // @ts-expect-error: no such task
  pool.run('native:fibonaci', 30);
  // @ts-expect-error: an option that is misspelled
  pool.run('fibonacci', 30, { timout: 5 });
  // @ts-expect-error: for tasks of a script
  pool.run('fibonacci', 30, { onOutput: () => {} });
  const reporting = pool.run('primes', 30, { onProgress: (value) => value, progress: 'latest' });
  expect<Equal<typeof reporting, Promise<number>>>();
  // @ts-expect-error: fibonacci takes a number
  pool.run('fibonacci', '30');
  // @ts-expect-error: fibonacci needs its input
  pool.run('fibonacci');
  // @ts-expect-error: a plain array is no typed array
  pool.run('sort', [3, 1, 2]);
  // @ts-expect-error: not an encoding of a digest
  pool.run('sha256', { data: 'abc', encoding: 'base64' });
}

async function controlling(pool: NativePool) {
  const { signal } = new AbortController();
  await pool.run('crc32', bytes, { priority: 1, signal, timeout: 100, transfer: [bytes.buffer] });
  // The signal that a caller may or may not have been given can be passed on as it is.
  const passOn = (optional?: AbortSignal) => pool.run('crc32', bytes, { signal: optional });
  await passOn();
  // @ts-expect-error: milliseconds are a number
  await pool.run('crc32', bytes, { timeout: '100' });
}

async function mapping(pool: NativePool) {
  const numbers = await pool.map('fibonacci', [1, 2, 3]);
  expect<Equal<typeof numbers, number[]>>();
  const digests = await pool.map('sha256', new Set(['a', 'b']));
  expect<Equal<typeof digests, Buffer[]>>();
  const hexes = await pool.map('blake3', [{ data: 'a', encoding: 'hex' }]);
  expect<Equal<typeof hexes, string[]>>();
  async function* source() {
    yield array;
  }
  const array = new Float32Array(1);
  const sorted = await pool.map('sort', source());
  expect<Equal<typeof sorted, (typeof array)[]>>();
  // @ts-expect-error: the inputs are of the wrong type
  await pool.map('fibonacci', ['1']);
  // @ts-expect-error: no such task
  await pool.map('fibonaci', [1]);
}

async function observing(pool: NativePool) {
  const stats: rustWorkers.PoolStats = pool.stats();
  expect<Equal<typeof stats.completed, number>>();
  expect<Equal<typeof stats.utilizationByKind, { native: number; script: number }>>();
  const monitor = await pool.monitor({ port: 0, host: '::1', allowedHosts: ['pool.internal'] });
  expect<Equal<typeof monitor.url, string>>();
  expect<Equal<ReturnType<typeof monitor.close>, Promise<void>>>();
  // @ts-expect-error: a number
  await pool.monitor({ port: '80' });
  const trace = pool.trace({ limit: 10 });
  expect<Equal<ReturnType<typeof trace.save>, Promise<void>>>();
  const { dropped }: { dropped: number } = trace.stop();
  expect<Equal<typeof dropped, number>>();
  // @ts-expect-error: no such option
  pool.trace({ limits: 10 });
  const times = pool.stats({ tasks: true, reset: true });
  expect<Equal<typeof times.roundTrip.p999, number>>();
  expect<Equal<(typeof times.tasks)[string]['kind'], 'native' | 'script'>>();
  // @ts-expect-error: they were not asked for
  pool.stats({ reset: true }).wait.p50;
  // @ts-expect-error: no such option
  pool.stats({ task: true });
  const sum: number = pool.threads + pool.queueSize + pool.completed;
  // @ts-expect-error: counters are read-only
  pool.completed = sum;
  const { maxThreads, name } = pool.options;
  expect<Equal<typeof maxThreads, number>>();
  expect<Equal<typeof name, string>>();
  // @ts-expect-error: only a pool with a script has it
  pool.options.killTimeout;
}

async function ending(pool: NativePool) {
  expect<Equal<ReturnType<typeof pool.close>, Promise<void>>>();
  await pool.close({ force: true });
  await pool.destroy();
  pool.unref().ref();
  await using scoped = new WorkerPool();
  await scoped.run('noop', 1);
}

export = { constructing, classes, running, controlling, mapping, observing, ending };

/** Outputs one by one, and outcomes. */
async function streams(pool: NativePool, script: rustWorkers.WorkerPool<{ add(input: { a: number }): Promise<string> }>) {
  for await (const output of pool.stream('fibonacci', [1, 2])) expect<Equal<typeof output, number>>();
  for await (const output of script.stream('add', new Set([{ a: 1 }]), { ordered: false, concurrency: 2 })) {
    expect<Equal<typeof output, string>>();
  }
  for await (const outcome of script.stream('add', [{ a: 1 }], { settle: true })) {
    if (outcome.status === 'fulfilled') expect<Equal<typeof outcome.value, string>>();
    expect<Equal<typeof outcome.index, number>>();
  }
  const outcomes = await pool.map('fibonacci', [1], { settle: true });
  expect<Equal<(typeof outcomes)[number], rustWorkers.TaskOutcome<number>>>();
  const outputs = await pool.map('fibonacci', [1], { settle: false });
  expect<Equal<typeof outputs, number[]>>();
  pool.stream('crc32', process.stdin, { transfer: (chunk) => [(chunk as Uint8Array).buffer as ArrayBuffer] });
  pool.stream('crc32', new Blob([]).stream());
  process.stdin.pipe(pool.transform('blake3', { highWaterMark: 4, ordered: false })).pipe(process.stdout);
  script.transform('add', { settle: true, onProgress: () => {} });
  // @ts-expect-error: no such option
  pool.stream('fibonacci', [1], { parallelism: 2 });
  // @ts-expect-error: an input that the task does not take
  pool.stream('fibonacci', ['1']);
}

/** runSync has the types of run, without the promise. */
function blocking() {
  const pool = new WorkerPool();
  const count: number = pool.runSync('primes', 100, { timeout: 50, priority: 1 });
  const digest: Uint8Array = pool.runSync('sha256', 'x');
  // @ts-expect-error: no signal can abort while the thread is blocked
  pool.runSync('primes', 100, { signal: new AbortController().signal });
  // @ts-expect-error: not a number
  const wrong: string = pool.runSync('primes', 100);
  const scripts = new WorkerPool<{ render(page: { id: number }): Promise<string> }>('./script.js');
  const page: string = scripts.runSync('render', { id: 1 });
  const shared: Promise<number> = pool.run('primes', 100, { dedupe: 'x', cache: 'y' });
  // @ts-expect-error: a native task loses no worker
  pool.run('primes', 100, { retries: 1 });
  scripts.run('render', { id: 1 }, { retries: 2, dedupe: 'x' });
  const kept: boolean = pool.cache.delete('y', 'primes') || pool.cache.has('y');
  new WorkerPool({ cache: { max: 5, ttl: 100 } });
  // @ts-expect-error: no such option
  new WorkerPool({ cache: { size: 5 } });
  const counted: number = pool.stats().deduped + pool.cache.size;
  return { count, digest, wrong, page, shared, kept, counted };
}

/** Callers share the run of a single task; each of many has its own. */
async function many() {
  const pool = new WorkerPool();
  const scripts = new WorkerPool<{ render(page: { id: number }): Promise<string>; add(sum: number, value: number): number }>('./script.js');
  const pages: string[] = await scripts.map('render', [{ id: 1 }], { key: 'x', worker: 0, filename: './other.js', onOutput: () => {} });
  // @ts-expect-error: of a single task
  scripts.map('render', [{ id: 1 }], { dedupe: 'x' });
  // @ts-expect-error: of a single task
  scripts.map('render', [{ id: 1 }], { cache: 'x', settle: true });
  // @ts-expect-error: of a single task
  scripts.map('render', [{ id: 1 }], { retries: 1 });
  // @ts-expect-error: of a single task
  pool.map('primes', [100], { dedupe: 'x' });
  // @ts-expect-error: of a single task
  scripts.stream('render', [{ id: 1 }], { retries: 1 });
  // @ts-expect-error: of a single task
  pool.stream('primes', [100], { cache: 'x', settle: true });
  // @ts-expect-error: of a single task
  scripts.transform('render', { dedupe: 'x' });
  // @ts-expect-error: of a single task
  scripts.iterate('render', { id: 1 }, { retries: 1 });
  // @ts-expect-error: of a single task
  scripts.exec(() => 1, [], { dedupe: 'x' });
  // @ts-expect-error: of a single task
  scripts.broadcast('render', { id: 1 }, { cache: 'x' });
  const api = scripts.proxy().render.with({ retries: 1, dedupe: 'x' });
  const count: number = await scripts.forEach('render', [{ id: 1 }], { onOutput: (chunk, stream) => void [chunk, stream], worker: 0, filename: './other.js' });
  const sum: number = await scripts.reduce('add', [1, 2], 0, { worker: 1, associative: true, filename: new URL('file:///other.js') });
  // @ts-expect-error: a native task has no worker
  pool.forEach('primes', [100], { worker: 0 });
  // @ts-expect-error: here the inputs are copied
  scripts.forEach('render', [{ id: 1 }], { transfer: 'auto' });
  // @ts-expect-error: of a single task
  scripts.reduce('add', [1], 0, { dedupe: 'x' });
  return { pages, api, count, sum };
}

// Another size at run time.
{
  const pool = new WorkerPool({ niceIncrement: 3 });
  pool.resize({ maxThreads: 3 });
  pool.resize({ minThreads: 1, maxThreads: undefined });
  const { minThreads, maxThreads, maxThreadsFrom } = pool.stats();
  const most: number = minThreads + maxThreads;
  const from: 'option' | 'environment' | 'cpus' = maxThreadsFrom;
  // @ts-expect-error: there must be one.
  pool.resize();
  // @ts-expect-error: not an option of resize.
  pool.resize({ name: 'other' });
  void [most, from];
}

// One pool for several threads.
{
  const pool = WorkerPool.open('shared', { maxThreads: 2 });
  const same: Promise<number> = WorkerPool.open('shared').run('fibonacci', 10);
  // @ts-expect-error: it takes no script.
  WorkerPool.open('shared', './script.js');
  // @ts-expect-error: for pools with a script.
  WorkerPool.open('shared', { workerData: 1 });
  void [pool, same];
}

async function profiles(pool: NativePool) {
  const profile = await pool.profile(100, { thisThread: false });
  expect<Equal<typeof profile.samples, number[]>>();
  await profile.save('pool.cpuprofile');
  // @ts-expect-error: a time is wanted
  pool.profile();
}
