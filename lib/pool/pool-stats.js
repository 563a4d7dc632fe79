'use strict';

/** `pool.stats()`, of the counters that the native side keeps and of what this side counts. Loaded when it is first asked for. */

const { binding } = require('../native');
const { SIZE_FROM } = require('../task/options');

/** The part that one time is of another; threads that are too many may have run beyond it. */
function partOf(time, whole) {
  return whole <= 0 ? 0 : Math.min(1, time / whole);
}

/** The part of the pool's time in which its threads ran tasks. */
const utilizationOf = ({ runTime, capacityTime }) => partOf(runTime, capacityTime);

const sharedCounts = (runs) =>
  runs === undefined
    ? { deduped: 0, retried: 0, cacheHits: 0, cacheMisses: 0 }
    : { deduped: runs.joined, retried: runs.retried, cacheHits: runs.cache.hits, cacheMisses: runs.cache.misses };

/**
 * @param {object} pool
 * @param {object} pool.counters
 * @param {import('../task/native-pool').NativePool} pool.native
 * @param {import('./shared-runs').SharedRuns | undefined} pool.sharedRuns
 * @param {boolean} pool.hasScript
 * @param {unknown} options
 */
function statsOf({ counters, native, sharedRuns, hasScript }, options) {
  const {
    idle, queued, waitTime, runTime, nativeRunTime, capacityTime, nativeCapacityTime, minThreads, maxThreads, maxThreadsFrom,
    times, ...counts
  } = counters;
  const utilizationByKind = {
    native: partOf(nativeRunTime, nativeCapacityTime),
    script: partOf(runTime - nativeRunTime, capacityTime - nativeCapacityTime),
  };
  const stats = {
    ...counts, idleThreads: idle, queueSize: queued, waitTime, runTime, utilization: partOf(runTime, capacityTime),
    utilizationByKind, minThreads, maxThreads, maxThreadsFrom: SIZE_FROM[maxThreadsFrom], ...sharedCounts(sharedRuns),
  };
  if (options === undefined) return stats;
  const { showTimes, statsOptions } = require('../seeing/task-times');
  const { tasks, reset } = statsOptions(options);
  if (!tasks && !reset) return stats;
  const told = times ?? binding.poolTimes(native.handle, reset);
  return tasks ? { ...stats, ...showTimes(told, hasScript) } : stats;
}

module.exports = { statsOf, utilizationOf };
