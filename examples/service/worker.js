'use strict';

/** The script of the pool: what its workers run. */

const { workerData } = require('node:worker_threads');

const { task } = require('rust-workers');

const { countPrimes } = require('./primes');
const { startTracing } = require('./tracing/start');
const { SpansToOwner } = require('./tracing/spans-of-workers');
const { traced } = require('./tracing/task-metadata');

if (workerData.traces !== 'none') startTracing(new SpansToOwner());

module.exports = traced({
  // A request that was aborted, or whose time is up, ends at the next checkpoint, and its worker takes the next task.
  primes: (limit) => countPrimes(limit, () => task.throwIfCancelled()),
});
