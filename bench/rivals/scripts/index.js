'use strict';

/**
 * Pools of JavaScript workers, each as one shape: `run(name, input)` for the functions of body.js, `moved(bytes)` where it
 * can, and `close()`. Every pool has its best settings.
 */

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { openMultithreading } = require('../multithreading');
const body = require('./body');

const file = (name) => path.join(__dirname, name);

function rustWorkers(script, options) {
  const { WorkerPool } = require('../../..');
  const pool = new WorkerPool(file(script), options);
  return {
    // The script's default export is `small`.
    run: (name, input) => (name === 'small' ? pool.runTask(input) : pool.run(name, input)),
    moved: (input) => pool.run('movedByUs', input, { transfer: [input.buffer] }),
    close: () => pool.destroy(),
  };
}

/** The usual pool by hand: each message has a number, workers take turns, by the main thread. */
function byHand(threads) {
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
    run: (name, input) => run(name, input, false),
    moved: (input) => run('bytes', input, true),
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}

function piscina(threads, concurrentTasksPerWorker) {
  const { Piscina } = require('piscina');
  const settings = { filename: file('functions.js'), minThreads: threads, maxThreads: threads, concurrentTasksPerWorker };
  const pool = new Piscina(settings);
  return {
    run: (name, input) => pool.run(input, { name }),
    moved: (input) => pool.run(input, { name: 'movedByPiscina', transferList: [input.buffer] }),
    close: () => pool.destroy(),
  };
}

/** An ES module: loaded by import. */
async function tinypool(threads) {
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: file('functions.js'), minThreads: threads, maxThreads: threads });
  return { run: (name, input) => pool.run(input, { name }), close: () => pool.destroy() };
}

function workerpool(threads) {
  const settings = { minWorkers: threads, maxWorkers: threads, workerType: 'thread' };
  const pool = require('workerpool').pool(file('workerpool-worker.js'), settings);
  return {
    run: (name, input) => pool.exec(name, [input]),
    moved: (input) => pool.exec('moved', [input], { transfer: [input.buffer] }),
    close: () => pool.terminate(),
  };
}

function poolifier(threads) {
  const { FixedThreadPool } = require('poolifier');
  const pool = new FixedThreadPool(threads, file('poolifier-worker.js'));
  return { run: (name, input) => pool.execute(input, name), close: () => pool.destroy() };
}

/** Its functions go to the worker as text. Buffers, and those of views, are always moved, in both directions. */
async function multithreading(threads) {
  const { move, shutdown, spawn } = await openMultithreading(threads);
  return {
    run: (name, input) => spawn(move(input), body[name]).join(),
    moved: (input) => spawn(move(input.buffer), body.bytes).join(),
    close: () => shutdown(),
  };
}

const OURS = { name: 'rust-workers', moves: true, make: (threads) => rustWorkers('functions.js', threads) };
const OUR_STYLES = [
  {
    name: "rust-workers, the seed's parentPort style",
    onlySmall: true,
    make: (threads) => rustWorkers('message.js', threads),
  },
  {
    name: "rust-workers, wait: 'block'",
    onlySmall: true,
    make: (threads) => rustWorkers('functions.js', { minThreads: threads, maxThreads: threads, wait: 'block' }),
  },
];
const BY_HAND = { name: 'worker_threads by hand', moves: true, make: byHand };
const LIBRARIES = [
  { name: 'multithreading', library: true, moves: true, noCopies: true, make: multithreading },
  { name: 'poolifier', library: true, make: poolifier },
  { name: 'piscina, 64 tasks a worker', library: true, moves: true, make: (threads) => piscina(threads, 64) },
  { name: 'piscina', library: true, moves: true, make: (threads) => piscina(threads, 1) },
  { name: 'tinypool', library: true, make: tinypool },
  { name: 'workerpool', library: true, moves: true, make: workerpool },
];
const ALL = [OURS, ...OUR_STYLES, BY_HAND, ...LIBRARIES];

/** Rivals of a contest: `roundOf` makes a round of an opened pool. */
const scripts = (makers, threads, roundOf) =>
  makers.map(({ name, library, make }) => ({
    name,
    library,
    open: async () => {
      const pool = await make(threads);
      return { round: roundOf(pool), stop: pool.close };
    },
  }));

module.exports = { ALL, BY_HAND, LIBRARIES, OURS, file, scripts };
