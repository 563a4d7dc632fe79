/** A small service that is bundled: it prints what each part of rust-workers gave, and ends by itself. */

import { once } from 'node:events';

import { Barrier, MessageChannel, Mutex, SharedBuffer, Worker, WorkerPool, errors } from 'rust-workers';
import { pageOf } from './pages.mjs';

/** A file beside this one. webpack and vite take `new URL('./name', import.meta.url)` for an asset of a web page. */
const here = import.meta.url;
const beside = (name) => new URL(name, here);

async function nativeTasks() {
  const pool = new WorkerPool({ maxThreads: 2 });
  const [digest, sums] = await Promise.all([
    pool.run('sha256', { data: pageOf(1), encoding: 'hex' }),
    pool.map('sum', [Float64Array.of(1, 2), Float64Array.of(3, 4)]),
  ]);
  const refused = await pool.run('sum', 'text').catch((error) => error instanceof errors.InvalidInputError);
  await pool.close();
  return { digest, sums, refused };
}

async function scriptTasks() {
  const pool = new WorkerPool(beside('./task.mjs'), 1);
  const page = await pool.run('render', 7);
  const thrown = await pool.run('fail', 'on purpose').catch(({ name, message }) => `${name}: ${message}`);
  await pool.close();
  return { page, thrown };
}

async function sharedMemory() {
  const mutex = new Mutex();
  const total = new SharedBuffer(4);
  const { port1, port2 } = new MessageChannel();
  const workerData = { mutex, total, port: port2, rounds: 1000 };
  const worker = new Worker(beside('./worker.mjs'), { workerData, transferList: [port2] });
  const exit = once(worker, 'exit');
  for (let round = 0; round < 1000; round++) {
    const guard = mutex.lockSync();
    total.store(0, total.load(0) + 1);
    guard.release();
  }
  const done = await port1.receive();
  await exit;
  return { done, total: total.load(0), parties: new Barrier(3).parties };
}

/** A part of the package with an import of its own; bullmq itself is not there. Its errors are those of the package. */
async function otherPart() {
  const peer = await import('rust-workers/bullmq').catch((error) => error instanceof errors.PeerNotFoundError);
  return { peer };
}

const results = { ...(await nativeTasks()), ...(await scriptTasks()), ...(await sharedMemory()), ...(await otherPart()) };
console.log(JSON.stringify(results));
