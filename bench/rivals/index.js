'use strict';

/** Each rival as one shape: `{ name, run(), close() }`, `run` being a no-op on one of its threads. */

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const file = (name) => path.join(__dirname, name);

function rustWorkers(threads) {
  const { WorkerPool } = require('../..');
  const pool = new WorkerPool({ maxThreads: threads });
  return { name: 'rust-workers', pool, run: () => pool.run('noop'), close: () => pool.destroy() };
}

function piscina(threads, concurrentTasksPerWorker = 1) {
  const { Piscina } = require('piscina');
  const settings = { filename: file('noop.js'), minThreads: threads, maxThreads: threads, concurrentTasksPerWorker };
  const pool = new Piscina(settings);
  const name = concurrentTasksPerWorker === 1 ? 'piscina' : `piscina, ${concurrentTasksPerWorker} tasks a worker`;
  return { name, run: () => pool.run(undefined), close: () => pool.destroy() };
}

/** An ES module: loaded by import. */
async function tinypool(threads) {
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: file('noop.js'), minThreads: threads, maxThreads: threads });
  return { name: 'tinypool', run: () => pool.run(undefined), close: () => pool.destroy() };
}

function workerpool(threads) {
  const settings = { minWorkers: threads, maxWorkers: threads, workerType: 'thread' };
  const pool = require('workerpool').pool(file('workerpool-worker.js'), settings);
  return { name: 'workerpool', run: () => pool.exec('noop'), close: () => pool.terminate() };
}

function poolifier(threads) {
  const { FixedThreadPool } = require('poolifier');
  const pool = new FixedThreadPool(threads, file('poolifier-worker.js'));
  return { name: 'poolifier', run: () => pool.execute(undefined), close: () => pool.destroy() };
}

/** Plain worker_threads with the least that makes a promise of each answer; workers take turns. */
function rawWorkers(threads) {
  const waiting = new Map();
  let next = 0;
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(file('raw-worker.js'));
    worker.on('message', ({ id, output }) => {
      const resolve = waiting.get(id);
      waiting.delete(id);
      resolve(output);
    });
    return worker;
  });
  const run = (task, input) =>
    new Promise((resolve) => {
      const id = next++;
      waiting.set(id, resolve);
      workers[id % threads].postMessage({ id, task, input });
    });
  return { name: 'worker_threads', run, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}

/** All pools, ours first. */
async function allPools(threads) {
  return [
    rustWorkers(threads),
    rawWorkers(threads),
    poolifier(threads),
    piscina(threads, 64),
    piscina(threads),
    await tinypool(threads),
    workerpool(threads),
  ];
}

module.exports = { allPools, rawWorkers, rustWorkers };
