'use strict';

/** Pools for tests: with the scripts of fixtures/scripts, closed whatever happens, or busy for as long as is wanted. */

const path = require('node:path');

const { WorkerPool } = require('../..');
const { inTime, until } = require('./until');

/** The path of a script of fixtures/scripts. */
const script = (name) => path.join(__dirname, '..', 'fixtures', 'scripts', name);

/** Runs `body` with a pool, which then has to close. */
async function using(pool, body) {
  try {
    const result = await body(pool);
    await inTime(pool.close(), 'the pool closes');
    return result;
  } finally {
    await pool.destroy();
  }
}

/**
 * A pool of one thread that is busy until `free()`.
 *
 * @returns {Promise<{ pool: WorkerPool, blocker: Promise<void>, free: () => void }>} `blocker` is the task under way: rejected
 *   by an AbortError once it was freed
 */
async function busyPool(options) {
  const pool = new WorkerPool({ maxThreads: 1, ...options });
  const stop = new AbortController();
  const blocker = pool.run('sleep', 60_000, { signal: stop.signal });
  blocker.catch(() => {});
  await until(() => pool.stats().running === 1, 'the pool is busy');
  return { pool, blocker, free: () => stop.abort() };
}

/**
 * A gate that holds a script's task until the test opens it: `pool.run('held', gate.cells)`, for scripts that export
 * fixtures/scripts/held.js.
 * `begun` counts the tasks that have come to it.
 */
class Gate {
  cells = new Int32Array(new SharedArrayBuffer(8));

  get begun() {
    return Atomics.load(this.cells, 1);
  }

  open() {
    Atomics.store(this.cells, 0, 1);
    Atomics.notify(this.cells, 0);
  }
}

/**
 * Holds a worker of a pool whose script exports fixtures/scripts/held.js.
 *
 * @returns {Promise<{ task: Promise<void>, open: () => void }>} the task that holds it until `open()`
 */
async function holdWorker(pool) {
  const gate = new Gate();
  const task = pool.run('held', gate.cells);
  await until(() => gate.begun === 1, 'the worker is held');
  return { task, open: () => gate.open() };
}

/** The pool of a random program: with this script for every second seed; of one to three threads, or tasks at a time on a worker. */
function poolOfSeed(seed, script) {
  return seed % 2 === 0
    ? new WorkerPool(script, { maxThreads: 2, concurrentTasksPerWorker: 1 + (seed % 3) })
    : new WorkerPool({ maxThreads: 1 + (seed % 3) });
}

module.exports = { Gate, busyPool, holdWorker, poolOfSeed, script, using };
