'use strict';

/**
 * Pools of JavaScript workers, each as one shape: `small(input)`, `copied(bytes)`, `moved(bytes)` where it can, and
 * `close()`. The bodies are those of body.js; every pool has its best settings.
 */

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const file = (name) => path.join(__dirname, name);

function functions(threads) {
  const { WorkerPool } = require('../../..');
  const pool = new WorkerPool(file('functions.js'), threads);
  return {
    name: 'rust-workers',
    small: (input) => pool.runTask(input),
    copied: (input) => pool.run('bytes', input),
    moved: (input) => pool.run('movedByUs', input, { transfer: [input.buffer] }),
    close: () => pool.destroy(),
  };
}

function message(threads) {
  const { WorkerPool } = require('../../..');
  const pool = new WorkerPool(file('message.js'), threads);
  return {
    name: "rust-workers, the seed's parentPort style",
    small: (input) => pool.runTask(input),
    close: () => pool.destroy(),
  };
}

function blocking(threads) {
  const { WorkerPool } = require('../../..');
  const pool = new WorkerPool(file('functions.js'), { minThreads: threads, maxThreads: threads, wait: 'block' });
  return {
    name: "rust-workers, wait: 'block'",
    small: (input) => pool.runTask(input),
    close: () => pool.destroy(),
  };
}

/** The usual pool by hand: an idle worker gets the next task, by the main thread. */
function pingPong(threads) {
  const waiting = new Map();
  let next = 0;
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(file('numbered.js'));
    worker.on('message', ({ id, output }) => {
      const resolve = waiting.get(id);
      waiting.delete(id);
      resolve(output);
    });
    return worker;
  });
  const run = (name, input, move) =>
    new Promise((resolve) => {
      const id = next++;
      waiting.set(id, resolve);
      workers[id % threads].postMessage({ id, name, input, move }, move ? [input.buffer] : undefined);
    });
  return {
    name: 'worker_threads by hand',
    small: (input) => run('small', input, false),
    copied: (input) => run('bytes', input, false),
    moved: (input) => run('bytes', input, true),
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

function piscina(threads, concurrentTasksPerWorker) {
  const { Piscina } = require('piscina');
  const settings = { filename: file('functions.js'), minThreads: threads, maxThreads: threads, concurrentTasksPerWorker };
  const pool = new Piscina(settings);
  return {
    name: concurrentTasksPerWorker === 1 ? 'piscina' : `piscina, ${concurrentTasksPerWorker} tasks a worker`,
    small: (input) => pool.run(input, { name: 'small' }),
    copied: (input) => pool.run(input, { name: 'bytes' }),
    moved: (input) => pool.run(input, { name: 'movedByPiscina', transferList: [input.buffer] }),
    close: () => pool.destroy(),
  };
}

/** An ES module: loaded by import. */
async function tinypool(threads) {
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: file('functions.js'), minThreads: threads, maxThreads: threads });
  return {
    name: 'tinypool',
    small: (input) => pool.run(input, { name: 'small' }),
    copied: (input) => pool.run(input, { name: 'bytes' }),
    close: () => pool.destroy(),
  };
}

function workerpool(threads) {
  const settings = { minWorkers: threads, maxWorkers: threads, workerType: 'thread' };
  const pool = require('workerpool').pool(file('workerpool-worker.js'), settings);
  return {
    name: 'workerpool',
    small: (input) => pool.exec('small', [input]),
    copied: (input) => pool.exec('bytes', [input]),
    moved: (input) => pool.exec('moved', [input], { transfer: [input.buffer] }),
    close: () => pool.terminate(),
  };
}

function poolifier(threads) {
  const { FixedThreadPool } = require('poolifier');
  const pool = new FixedThreadPool(threads, file('poolifier-worker.js'));
  return {
    name: 'poolifier',
    small: (input) => pool.execute(input, 'small'),
    copied: (input) => pool.execute(input, 'bytes'),
    close: () => pool.destroy(),
  };
}

/** All of them, ours first. */
async function scriptPools(threads) {
  return [
    functions(threads),
    message(threads),
    blocking(threads),
    pingPong(threads),
    poolifier(threads),
    piscina(threads, 64),
    piscina(threads, 1),
    await tinypool(threads),
    workerpool(threads),
  ];
}

module.exports = { file, scriptPools };
