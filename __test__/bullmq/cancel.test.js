'use strict';

/** Jobs that are cancelled or lost while they run: their tasks stop, also in a loop that never lets go of its thread. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { until, useRedis } = require('./support/house');

const house = useRedis();

/** Locks that are renewed often, so that their loss is noticed soon; jobs without one are looked for often too. */
const SHORT = { lockDuration: 600, stalledInterval: 200, maxStalledCount: 10 };

const lockKey = (queue, job) => `bull:${queue.name}:${job.id}:lock`;

/** BullMQ 5 hands out the client by a promise of the queue, BullMQ 6 by its backend. */
const redisOf = async (queue) => (await queue.client) ?? (await queue.getBackend().client);

async function running(pool, count) {
  await until(() => pool.seen.read('running') === count, `${count} tasks run`);
}

async function idle(pool) {
  await running(pool, 0);
}

describe('worker.cancelJob()', () => {
  test('stops a loop; the job fails for good, with the reason', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const job = await queue.add('spin', {}, { attempts: 5 });
    await running(pool, 1);
    assert.equal(worker.cancelJob(job.id, 'the user left'), true);
    const { state, failedReason, attemptsMade } = await house.ended(queue, job);
    assert.deepEqual({ state, failedReason, attemptsMade }, { state: 'failed', failedReason: 'The job was cancelled: the user left', attemptsMade: 1 });
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
    assert.deepEqual(worker.errors, []);
  });

  test('without a reason', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const job = await queue.add('spin', {});
    await running(pool, 1);
    worker.cancelJob(job.id);
    assert.match((await house.ended(queue, job)).failedReason, /^The job was cancelled: .*abort/i);
  });

  test('with retryCancelled: it is tried again', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { retryCancelled: true });
    const job = await queue.add('spin', {}, { attempts: 2 });
    for (let begun = 1; begun <= 2; begun++) {
      await until(() => pool.seen.read('begun') === begun && pool.seen.read('running') > 0, 'a loop runs');
      await until(() => worker.cancelJob(job.id), 'the job is known');
    }
    const { state, attemptsMade } = await house.ended(queue, job);
    assert.deepEqual({ state, attemptsMade }, { state: 'failed', attemptsMade: 2 });
  });

  test('a loop that does not look ends with its thread, and the other job on the pool goes on', async () => {
    const queue = await house.queue();
    const pool = house.pool({ killTimeout: 50 });
    const worker = house.worker(queue, pool);
    const ended = new Promise((resolve) => pool.once('workerDestroy', resolve));
    const other = await queue.add('waitForGate', 'other');
    await running(pool, 1);
    const job = await queue.add('spinDeaf', {});
    await running(pool, 2);
    worker.cancelJob(job.id);
    assert.equal((await house.ended(queue, job)).state, 'failed');
    await ended;
    const next = await queue.add('double', { number: 3 });
    assert.equal((await house.ended(queue, next)).returnvalue, 6);
    pool.seen.openGate();
    assert.equal((await house.ended(queue, other)).returnvalue, 'other');
  });

  test('worker.cancelAllJobs() stops all of them', async () => {
    const queue = await house.queue();
    const pool = house.pool({ maxThreads: 3 });
    const worker = house.worker(queue, pool);
    const jobs = await queue.addBulk(Array.from({ length: 3 }, () => ({ name: 'spin', data: {} })));
    await running(pool, 3);
    worker.cancelAllJobs('shut down');
    for (const job of jobs) assert.equal((await house.ended(queue, job)).failedReason, 'The job was cancelled: shut down');
    await until(() => pool.seen.read('stopped') === 3, 'the loops saw it');
  });
});

describe('a job that is no longer ours', () => {
  test('its lock is gone: the loop stops, and the job runs again', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, SHORT);
    const failed = [];
    worker.on('failed', (job) => failed.push(job.id));
    const job = await queue.add('spin', {});
    await running(pool, 1);
    await (await redisOf(queue)).del(lockKey(queue, job));
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
    await until(() => pool.seen.read('begun') === 2, 'the job runs again');
    assert.deepEqual(failed, []);
    worker.cancelJob(job.id);
    const { state, attemptsMade, stalledCounter } = await house.ended(queue, job);
    assert.deepEqual({ state, attemptsMade, stalledCounter }, { state: 'failed', attemptsMade: 1, stalledCounter: 1 });
  });

  test('somebody else has its lock: the loop stops, and the job is left to them', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, SHORT);
    const ended = [];
    for (const event of ['failed', 'completed']) worker.on(event, () => ended.push(event));
    const job = await queue.add('spin', {});
    await running(pool, 1);
    const redis = await redisOf(queue);
    await redis.set(lockKey(queue, job), 'somebody-else', 'PX', 60_000);
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
    await idle(pool);
    await worker.close();
    assert.deepEqual(ended, []);
    assert.equal(await job.getState(), 'active');
    assert.equal(await redis.get(lockKey(queue, job)), 'somebody-else');
  });

  test('it was removed: the loop stops', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, SHORT);
    const job = await queue.add('spin', {});
    await running(pool, 1);
    await queue.pause();
    await queue.obliterate({ force: true });
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
    await worker.close();
    assert.equal(await queue.getJob(job.id), undefined);
  });

  test('it was removed: a task that reports progress stops at its next report, long before the lock is renewed', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { concurrency: 1 });
    assert.equal(worker.opts.lockDuration, 30_000);
    const failed = [];
    worker.on('failed', (job, error) => failed.push(error));
    await queue.add('countThenSpin', {});
    await running(pool, 1);
    await queue.pause();
    await queue.obliterate({ force: true });
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
    // One at a time: the next job begins when the worker is through with the first, and nothing is to be said of that.
    await queue.resume();
    const next = await queue.add('double', { number: 1 });
    assert.equal((await house.ended(queue, next)).returnvalue, 2);
    assert.deepEqual([...failed, ...worker.errors], []);
  });

  test('the same worker takes it again: the earlier run stops', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    // It renews no lock, so it is not told of the loss either.
    const worker = house.worker(queue, pool, { ...SHORT, skipLockRenewal: true });
    const job = await queue.add('spin', {});
    await until(() => pool.seen.read('begun') >= 2, 'the job runs again');
    await until(() => pool.seen.read('stopped') >= 1, 'the earlier loop saw it');
    await worker.close({ timeout: 0 });
    assert.ok(['waiting', 'active'].includes(await job.getState()));
  });
});
