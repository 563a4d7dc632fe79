'use strict';

/** Prometheus metrics: the pool's counters, as they are when they are asked for, and the times of the requests. */

const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = require('prom-client');

/** Name, help, and where it stands in `pool.stats()`. Times are in seconds, as Prometheus has them. */
const GAUGES = [
  ['threads', 'Native threads of the pool', (stats) => stats.threads],
  ['idle_threads', 'Native threads that have no task', (stats) => stats.idleThreads],
  ['workers', 'Workers of the pool', (stats) => stats.workers],
  ['idle_workers', 'Workers that have no task', (stats) => stats.idleWorkers],
  ['queue_size', 'Tasks that wait', (stats) => stats.queueSize],
  ['running', 'Tasks that run', (stats) => stats.running],
  ['utilization', 'Share of the time of all threads that tasks ran, since the start', (stats) => stats.utilization],
];
const COUNTERS = [
  ['submitted_total', 'Tasks accepted', (stats) => stats.submitted],
  ['completed_total', 'Tasks that gave a result', (stats) => stats.completed],
  ['failed_total', 'Tasks that failed', (stats) => stats.failed],
  ['cancelled_total', 'Tasks that were aborted or took too long', (stats) => stats.cancelled],
  ['wait_seconds_total', 'Time that tasks have waited', (stats) => stats.waitTime / 1000],
  ['run_seconds_total', 'Time that tasks have run', (stats) => stats.runTime / 1000],
];

/** @param {import('rust-workers').WorkerPool | undefined} pool */
function createMetrics(pool) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  if (pool !== undefined) addPool(registry, pool);
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request to the end of its answer',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    answered: (route, status, seconds) => requests.observe({ route, status }, seconds),
  };
}

function addPool(registry, pool) {
  const registers = [registry];
  for (const [name, help, read] of GAUGES) {
    new Gauge({ name: `rust_workers_${name}`, help, registers, collect() { this.set(read(pool.stats()) ?? 0); } });
  }
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name: `rust_workers_${name}`, help, registers,
      // The pool counts; a counter of prom-client can only be added to.
      collect() {
        this.reset();
        this.inc(read(pool.stats()));
      },
    });
  }
}

module.exports = { createMetrics };
