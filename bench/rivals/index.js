'use strict';

/**
 * The rivals of the native pool, each as one shape: `open()` gives `{ run(), close() }`, `run` being a no-op on one of two or
 * more threads. `library` marks the packages that people choose between.
 */

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { ADDON } = require('../harness/peers');
const { bareNoops } = require('./bare-promises');
const { openMultithreading } = require('./multithreading');

const file = (name) => path.join(__dirname, name);

function rustWorkers(threads) {
  const { WorkerPool } = require('../..');
  const pool = new WorkerPool({ maxThreads: threads });
  return { pool, run: () => pool.run('noop'), close: () => pool.destroy() };
}

function piscina(threads, concurrentTasksPerWorker) {
  const { Piscina } = require('piscina');
  const settings = { filename: file('noop.js'), minThreads: threads, maxThreads: threads, concurrentTasksPerWorker };
  const pool = new Piscina(settings);
  return { run: () => pool.run(undefined), close: () => pool.destroy() };
}

/** An ES module: loaded by import. */
async function tinypool(threads) {
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: file('noop.js'), minThreads: threads, maxThreads: threads });
  return { run: () => pool.run(undefined), close: () => pool.destroy() };
}

function workerpool(threads) {
  const settings = { minWorkers: threads, maxWorkers: threads, workerType: 'thread' };
  const pool = require('workerpool').pool(file('workerpool-worker.js'), settings);
  return { run: () => pool.exec('noop'), close: () => pool.terminate() };
}

function poolifier(threads) {
  const { FixedThreadPool } = require('poolifier');
  const pool = new FixedThreadPool(threads, file('poolifier-worker.js'));
  return { run: () => pool.execute(undefined), close: () => pool.destroy() };
}

async function multithreading(threads) {
  const { spawn, shutdown } = await openMultithreading(threads);
  const noop = () => undefined;
  return { run: () => spawn(noop).join(), close: () => shutdown() };
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
  return { run, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}

/** Runs on libuv's threads; UV_THREADPOOL_SIZE says how many. */
function asyncTask() {
  const { noop } = require(ADDON);
  return { run: noop, close: () => undefined };
}

const OURS = { name: 'rust-workers', make: rustWorkers };
const RAW = { name: 'worker_threads by hand', make: rawWorkers };
const ASYNC_TASK = { name: 'napi-rs AsyncTask', make: asyncTask, needs: 'async-task' };
/** No threads at all: what promises alone cost. */
const BARE = { name: 'bare promises', make: bareNoops };

const LIBRARIES = [
  { name: 'multithreading', make: multithreading, library: true },
  { name: 'poolifier', make: poolifier, library: true },
  { name: 'piscina, 64 tasks a worker', make: (threads) => piscina(threads, 64), library: true },
  { name: 'piscina', make: (threads) => piscina(threads, 1), library: true },
  { name: 'tinypool', make: tinypool, library: true },
  { name: 'workerpool', make: workerpool, library: true },
];

/**
 * Rivals of a contest from those above.
 *
 * @param {object[]} makers
 * @param {number} threads
 * @param {(opened: object) => () => unknown} roundOf
 */
const natives = (makers, threads, roundOf) =>
  makers.map(({ make, ...about }) => ({
    ...about,
    open: async () => {
      const opened = await make(threads);
      return { round: roundOf(opened), stop: opened.close };
    },
  }));

module.exports = { ASYNC_TASK, BARE, LIBRARIES, OURS, RAW, natives, rawWorkers, rustWorkers };
