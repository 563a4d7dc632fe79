/** What index.d.ts promises about pools with a script, told to tsc. Nothing here runs. */

import rustWorkers = require('rust-workers');
import type { Equal } from './equal.js';
import { expect } from './equal.js';

const { WorkerPool, move, task } = rustWorkers;

async function running() {
  new WorkerPool('./script.js', 4);
  const pool = new WorkerPool(new URL('file:///script.js'), {
    maxThreads: 4,
    concurrentTasksPerWorker: 2,
    killTimeout: Infinity,
    wait: 'block',
    recycle: { afterTasks: 100 },
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    workerData: { any: 'thing' },
  });
  // @ts-expect-error: no such way to wait
  new WorkerPool('./script.js', { wait: 'atomics' });
  const answer = await pool.runTask<{ ok: boolean }>({ number: 1 }, { onProgress: (done) => done, transfer: 'auto' });
  expect<Equal<typeof answer, { ok: boolean }>>();
  const named = await pool.run<number>('add', { a: 1, b: 2 }, { name: 'add', timeout: 5 });
  expect<Equal<typeof named, number>>();
  const mapped = await pool.map<number>('add', [{ a: 1, b: 2 }], { onProgress: (done) => done, transfer: 'auto' });
  expect<Equal<typeof mapped, number[]>>();
  const native = await pool.run('native:sum', new Float64Array(3), { priority: 1 });
  expect<Equal<typeof native, number | bigint>>();
  const counted = await pool.map('native:fibonacci', [1, 2]);
  expect<Equal<typeof counted, number[]>>();
  // @ts-expect-error: a slip in the name of a native task
  await pool.map('fibonaci', [1]);
  pool.on('workerCreate', (worker) => worker.threadId);
}

function inside() {
  expect<Equal<typeof task.cancelled, boolean>>();
  task.progress({ done: 1 });
  const moved = move(new Uint8Array(5));
  expect<Equal<typeof moved, Uint8Array<ArrayBuffer>>>();
}

export { inside, running };
