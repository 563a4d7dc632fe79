/** What index.d.ts promises about pools with a script, told to tsc. Nothing here runs. */

import rustWorkers = require('rust-workers');
import type { NoFunctions } from 'rust-workers';
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { WorkerPool, move, task } = rustWorkers;

/** The hooks of a script. */
const worker = {
  async setup({ workerId, workerData, signal }) {
    expect<Equal<typeof workerId, number>>();
    expect<Equal<typeof workerData, any>>();
    expect<Equal<typeof signal, AbortSignal>>();
  },
  teardown(context) {
    // @ts-expect-error: no such reason
    return context.reason === 'crash';
  },
  onError: (error) => error === 'expected',
} satisfies rustWorkers.WorkerHooks;
expect<Equal<ReturnType<typeof worker.onError>, boolean>>();

async function ready(pool: rustWorkers.WorkerPool) {
  const [first] = pool.workers;
  expect<Equal<typeof first.state, 'starting' | 'idle' | 'busy' | 'ending'>>();
  expect<Equal<typeof first.lastError, unknown>>();
  await pool.recycle(first.id);
  await pool.recycle();
  // @ts-expect-error: an id is a number
  await pool.recycle('0');
  const outputs = await pool.broadcast<number>('reload', { version: 1 }, { later: 'latest', timeout: 5 });
  expect<Equal<typeof outputs, number[]>>();
  // @ts-expect-error: it is for all workers
  await pool.broadcast('reload', 1, { worker: 0 });
  // @ts-expect-error: no such way
  await pool.broadcast('reload', 1, { later: 'all' });
  expect<Equal<ReturnType<typeof pool.postMessage>, number>>();
  await pool.run('render', {}, {
    onOutput: (chunk, stream) => {
      expect<Equal<typeof chunk, string | Uint8Array>>();
      expect<Equal<typeof stream, 'stdout' | 'stderr'>>();
    },
  });
  await pool.run('render', {}, { worker: first.id, filename: new URL('file:///other.js') });
  // @ts-expect-error: an id is a number
  await pool.run('render', {}, { worker: '0' });
  const count = pool.cancelQueued();
  expect<Equal<typeof count, number>>();
  await pool.close({ cancelQueued: true, timeout: 5 });
  const done = await pool.ready;
  expect<Equal<typeof done, void>>();
}

async function running() {
  const fixed = new WorkerPool('./script.js', 4);
  const rendered = await fixed.run('render', { page: 1 });
  expect<Equal<typeof rendered, any>>();
  const pool = new WorkerPool(new URL('file:///script.js'), {
    maxThreads: 4,
    concurrentTasksPerWorker: 2,
    killTimeout: Infinity,
    wait: 'block',
    recycle: { afterTasks: 100 },
    setupTimeout: 5000,
    shutdownTimeout: Infinity,
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    env: rustWorkers.SHARE_ENV,
    workerData: { any: 'thing' },
  });
  // @ts-expect-error: no such way to wait
  new WorkerPool('./script.js', { wait: 'atomics' });
  // @ts-expect-error: an option that is misspelled
  new WorkerPool('./script.js', { maxThread: 4 });
  // @ts-expect-error: a size is a number
  new WorkerPool('./script.js', '4');
  const answer = await pool.runTask<{ ok: boolean }>({ number: 1 }, { onProgress: (done) => done, transfer: 'auto' });
  expect<Equal<typeof answer, { ok: boolean }>>();
  const anything = await pool.runTask({ number: 1 });
  expect<Equal<typeof anything, any>>();
  const nothing = await pool.run('reload');
  expect<Equal<typeof nothing, any>>();
  const named = await pool.run<number>('add', { a: 1, b: 2 }, { name: 'add', timeout: 5 });
  expect<Equal<typeof named, number>>();
  const mapped = await pool.map<number>('add', [{ a: 1, b: 2 }], { onProgress: (done) => done, transfer: 'auto' });
  expect<Equal<typeof mapped, number[]>>();
  const untyped = await pool.map('add', [{ a: 1, b: 2 }], { onProgress: (done) => done });
  expect<Equal<typeof untyped, any[]>>();
  const native = await pool.run('native:sum', new Float64Array(3), { priority: 1 });
  expect<Equal<typeof native, number | bigint>>();
  const counted = await pool.map('native:fibonacci', [1, 2]);
  expect<Equal<typeof counted, number[]>>();
  const inferred = await pool.run('fibonacci', 20);
  expect<Equal<typeof inferred, number>>();
  const byVariable = await pool.run(String(answer), 1);
  expect<Equal<typeof byVariable, any>>();
  // The script's own function of the name of a native task.
  const own = await pool.run<string>('sort', { words: ['b', 'a'] });
  expect<Equal<typeof own, string>>();
  // @ts-expect-error: a native task's input
  await pool.run('fibonacci', '20');
  // @ts-expect-error: an option that is misspelled
  await pool.run('render', {}, { timout: 5 });
  // @ts-expect-error: no list
  await pool.run('render', {}, { transfer: 'all' });
}

/** A pool as a service keeps it. */
class Service {
  readonly pool: rustWorkers.WorkerPool = new WorkerPool('./script.js');
  async render(page: number): Promise<string> {
    return this.pool.run('render', { page });
  }
}

class Renderers extends WorkerPool<any> {
  constructor() {
    super('./script.js', 4);
  }
  render = (page: number): Promise<string> => this.run('render', page);
}

/** Where the pool knows what its script exports. */
async function typed() {
  interface Script {
    render: (input: { page: number }) => Promise<string>;
    add: (a: number) => number;
    ping: () => 'pong';
    sort: (words: string[]) => string[];
    version: string;
  }
  const pool = new WorkerPool<Script>('./script.js');
  const page = await pool.run('render', { page: 1 }, { onProgress: () => {} });
  expect<Equal<typeof page, string>>();
  const sums = await pool.map('add', [1, 2]);
  expect<Equal<typeof sums, number[]>>();
  const pong = await pool.run('ping');
  expect<Equal<typeof pong, 'pong'>>();
  const words = await pool.run('sort', ['b', 'a']);
  expect<Equal<typeof words, string[]>>();
  const count = await pool.run('native:primes', 10);
  expect<Equal<typeof count, number>>();
  // @ts-expect-error: no such function
  await pool.run('rendr', { page: 1 });
  // @ts-expect-error: not a function
  await pool.run('version', 1);
  // @ts-expect-error: another input
  await pool.run('render', { pages: 1 });
  // @ts-expect-error: the function needs its input
  await pool.run('add');
  // @ts-expect-error: this pool has functions, `sort` among them
  const native: rustWorkers.WorkerPool<NoFunctions> = pool;
  const some: rustWorkers.WorkerPool = pool;
  return [native, some];
}

function settings(annotated: rustWorkers.WorkerPool) {
  const { killTimeout, wait, recycle, concurrentTasksPerWorker, maxQueue } = new WorkerPool('./script.js').options;
  expect<Equal<typeof killTimeout, number>>();
  expect<Equal<typeof wait, 'event' | 'block'>>();
  expect<Equal<typeof concurrentTasksPerWorker, number>>();
  expect<Equal<typeof maxQueue, number>>();
  const limit: number | undefined = recycle?.afterTasks;
  const perhaps: number | undefined = annotated.options.killTimeout;
  return [limit, perhaps];
}

function inside() {
  expect<Equal<typeof task.cancelled, boolean>>();
  task.progress({ done: 1 });
  const result = new Uint8Array(5);
  const moved = move(result, [result.buffer]);
  expect<Equal<typeof moved, typeof result>>();
}

export { Renderers, Service, inside, running, settings, typed };
