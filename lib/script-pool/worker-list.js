'use strict';

/** `pool.workers`, and `pool.recycle`: the workers of a pool as its user sees them. */

const { InvalidArgValueError } = require('../errors');
const { binding } = require('../native');
const { now } = require('../runtime/clock');
const { validateInteger } = require('../validators');

/** How the native side counts a worker: its number, tasks that it runs, tasks that it has done. */
const COUNTS = 3;

/**
 * @param {number} pool its handle
 * @param {Iterable<import('./pool-worker').PoolWorker>} workers
 * @returns {object[]} in order of their numbers
 */
function listWorkers(pool, workers) {
  const counts = binding.workerCounts(pool);
  const byNumber = new Map();
  for (let i = 0; i < counts.length; i += COUNTS) byNumber.set(counts[i], { running: counts[i + 1], tasks: counts[i + 2] });
  return [...workers]
    .sort((one, other) => one.number - other.number)
    .map((worker) => describe(worker, byNumber.get(worker.number) ?? { running: 0, tasks: 0 }));
}

function describe(worker, { running, tasks }) {
  const { number, thread, startedAt, lastError } = worker;
  const described = {
    id: number,
    threadId: thread.threadId,
    state: stateOf(worker, running),
    tasks,
    running,
    age: now() - startedAt,
    utilization: utilizationOf(thread),
  };
  if (lastError !== undefined) described.lastError = lastError;
  return described;
}

function stateOf({ ready, ending, killed }, running) {
  if (ending || killed) return 'ending';
  if (!ready) return 'starting';
  return running > 0 ? 'busy' : 'idle';
}

/** Which part of its time the worker's event loop was not waiting; 0 where the runtime does not say. */
function utilizationOf(thread) {
  return thread.performance?.eventLoopUtilization?.().utilization ?? 0;
}

/**
 * Asks workers to end once their tasks are done.
 *
 * @param {Map<number, import('./pool-worker').PoolWorker>} workers
 * @param {number | undefined} number of one; undefined: all that have loaded the script
 * @param {import('../delivery').Delivery} delivery keeps the event loop alive meanwhile
 * @returns {Promise<void>} resolved when they have ended
 */
function recycleWorkers(workers, number, delivery) {
  const chosen = number === undefined ? [...workers.values()] : [workerOf(workers, number)];
  // One that starts is as fresh as the next would be.
  const ends = chosen.filter(({ ready }) => ready).map((worker) => worker.retire('recycle'));
  if (ends.length === 0) return Promise.resolve();
  delivery.hold(1);
  return Promise.all(ends).then(() => delivery.hold(-1));
}

/**
 * The worker of this number.
 *
 * @param {{ get(number: number): import('./pool-worker').PoolWorker | undefined, keys(): Iterable<number> }} workers
 * @param {unknown} number
 * @throws where there is none
 */
function workerOf(workers, number) {
  validateInteger(number, 'id', 0);
  const worker = workers.get(number);
  if (worker !== undefined) return worker;
  const ids = [...workers.keys()].sort((one, other) => one - other);
  throw new InvalidArgValueError(
    `There is no worker ${number}. ${ids.length === 0 ? 'No worker lives' : `The workers are ${ids.join(', ')}`}; see pool.workers`,
  );
}

module.exports = { listWorkers, recycleWorkers, workerOf };
