'use strict';

/** The first result of a program: each loads its package and runs one task, as its documentation shows. */

const path = require('node:path');
const { Worker } = require('node:worker_threads');

const { openMultithreading } = require('../multithreading');
const { file: script } = require('../scripts');

const file = (name) => path.join(__dirname, name);
const INPUT = { a: 1, b: 'x', c: [] };

const firsts = {
  'rust-workers, script': () => {
    const { WorkerPool } = require('../../..');
    return new WorkerPool(script('functions.js'), 1).runTask(INPUT);
  },
  'rust-workers, native': () => {
    const { WorkerPool } = require('../../..');
    return new WorkerPool({ maxThreads: 1 }).run('sumSqrt', { n: 3, iterations: 1 });
  },
  'a bare Worker': () => {
    const worker = new Worker(script('ready.js'));
    worker.postMessage(INPUT);
    return new Promise((resolve) => worker.once('message', resolve));
  },
  piscina: () => {
    const { Piscina } = require('piscina');
    return new Piscina({ filename: script('functions.js'), maxThreads: 1, minThreads: 1 }).run(INPUT);
  },
  tinypool: async () => {
    const { Tinypool } = await import('tinypool');
    return new Tinypool({ filename: script('functions.js'), minThreads: 1, maxThreads: 1 }).run(INPUT, { name: 'small' });
  },
  workerpool: () => {
    const pool = require('workerpool').pool(script('workerpool-worker.js'), { maxWorkers: 1, workerType: 'thread' });
    return pool.exec('small', [INPUT]);
  },
  poolifier: () => {
    const { FixedThreadPool } = require('poolifier');
    return new FixedThreadPool(1, script('poolifier-worker.js')).execute(INPUT, 'small');
  },
  multithreading: async () => {
    const { move, spawn } = await openMultithreading(1);
    return spawn(move(INPUT), ({ a, b, c }) => ({ sum: a + c.length, name: b })).join();
  },
};

module.exports = { file, firsts };
