'use strict';

/** A Redis for the tests of one file, and queues, workers and pools on it that are closed after each test. */

const path = require('node:path');
const { after: afterAll, afterEach, before } = require('node:test');

const { Queue, QueueEvents } = require('bullmq');
const { WorkerPool } = require('rust-workers');
const { PoolWorker } = require('rust-workers/bullmq');

const { until } = require('../../support/until');
const { COUNTERS } = require('../fixtures/work');
const { startRedis } = require('./redis');

const SCRIPT = path.join(__dirname, '..', 'fixtures', 'work.js');

/** Far beyond what anything here takes: only what hangs reaches it. */
const LIMIT = 30_000;

/** A pool's counters in shared memory. */
function counters() {
  const shared = new Int32Array(new SharedArrayBuffer(64));
  const read = (name) => Atomics.load(shared, COUNTERS[name]);
  return {
    shared,
    read,
    openGate() {
      Atomics.store(shared, COUNTERS.gate, 1);
      Atomics.notify(shared, COUNTERS.gate);
    },
  };
}

/** Defines the hooks of a test file; call it once at its top. */
function useRedis() {
  const house = { connection: undefined };
  let redis;
  let number = 0;
  const closers = [];

  before(async () => {
    redis = await startRedis();
    house.connection = { ...redis.connection, maxRetriesPerRequest: null };
  });
  afterAll(() => redis.stop());
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  house.closing = (close) => closers.push(close);

  /** A queue of its own, with its events. */
  house.queue = async () => {
    const name = `queue-${++number}`;
    const { connection } = house;
    const queue = new Queue(name, { connection });
    const events = new QueueEvents(name, { connection });
    closers.push(() => Promise.all([queue.close(), events.close()]));
    await events.waitUntilReady();
    return Object.assign(queue, { events });
  };

  /** A pool of the script with counters. */
  house.pool = (options = {}) => {
    const seen = counters();
    const pool = new WorkerPool(SCRIPT, { maxThreads: 2, workerData: seen.shared, ...options });
    closers.push(() => pool.destroy());
    return Object.assign(pool, { seen });
  };

  /** A PoolWorker; `errors` are its 'error' events. */
  house.worker = (queue, pool, options = {}) => {
    const worker = new PoolWorker(queue.name, pool, { connection: house.connection, ...options });
    const errors = [];
    worker.on('error', (error) => errors.push(error));
    closers.push(() => worker.close({ timeout: 0 }));
    return Object.assign(worker, { errors });
  };

  /** The job as it is stored, once it has ended. */
  house.ended = async (queue, job) => {
    await job.waitUntilFinished(queue.events, LIMIT).catch(() => {});
    const stored = await queue.getJob(job.id);
    return Object.assign(stored, { state: await stored.getState() });
  };

  return house;
}

/** What happens first on a worker for a job of this id: the arguments of the event. */
function eventOf(worker, event, id) {
  return new Promise((resolve) => {
    const listener = (job, ...rest) => {
      if (job.id !== id) return;
      worker.off(event, listener);
      resolve([job, ...rest]);
    };
    worker.on(event, listener);
  });
}

module.exports = { SCRIPT, counters, eventOf, until, useRedis };
