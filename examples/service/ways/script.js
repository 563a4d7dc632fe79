'use strict';

/** In a worker of a pool with a script. */

const path = require('node:path');

const { WorkerPool } = require('rust-workers');

const { withTrace } = require('../tracing/task-metadata');
const { receiveSpans } = require('../tracing/spans-of-workers');

const SCRIPT = path.join(__dirname, '..', 'worker.js');

function open({ threads, maxQueue, closeTimeout, traces }) {
  const pool = new WorkerPool(SCRIPT, {
    maxThreads: threads,
    minThreads: threads,
    maxQueue,
    name: 'service',
    workerData: { traces },
  });
  pool.on('message', receiveSpans);
  return {
    pool,
    run: (limit, options) => pool.run('primes', withTrace(limit), options),
    close: () => pool.close({ timeout: closeTimeout }),
  };
}

module.exports = { open };
