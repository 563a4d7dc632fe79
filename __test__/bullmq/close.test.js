'use strict';

/** The end of a worker, and of its pool, with work under way. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { until, useRedis } = require('./support/house');

const house = useRedis();

async function running(pool, count) {
  await until(() => pool.seen.read('running') === count, `${count} tasks run`);
}

describe('worker.close()', () => {
  test('waits for the jobs under way, and takes no more; the pool stays open', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const jobs = await queue.addBulk(Array.from({ length: 5 }, (_, at) => ({ name: 'waitForGate', data: at })));
    await running(pool, 2);
    const closed = worker.close();
    pool.seen.openGate();
    await closed;
    const states = await Promise.all(jobs.map((job) => job.getState()));
    assert.deepEqual(states.sort(), ['completed', 'completed', 'waiting', 'waiting', 'waiting']);
    assert.equal(pool.closed, false);
    assert.equal(await pool.runTask({ number: 1 }, { name: 'double' }), 2);
    assert.deepEqual(worker.errors, []);
  });

  test('with a timeout: tasks that still run are stopped, and their jobs wait again as if they had not begun', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const ended = [];
    for (const event of ['failed', 'completed']) worker.on(event, () => ended.push(event));
    const jobs = [await queue.add('spin', {}), await queue.add('spin', {}, { priority: 3 })];
    await running(pool, 2);
    await worker.close({ timeout: 20 });
    await until(() => pool.seen.read('stopped') === 2, 'the loops saw it');
    assert.deepEqual(ended, []);
    assert.deepEqual(await Promise.all(jobs.map((job) => job.getState())), ['waiting', 'prioritized']);
    for (const { id } of jobs) assert.equal((await queue.getJob(id)).attemptsMade, 0);
    // Another worker has them at once.
    const other = house.worker(queue, house.pool(), { task: 'echo' });
    for (const job of jobs) assert.equal((await house.ended(queue, job)).state, 'completed');
    assert.deepEqual([...worker.errors, ...other.errors], []);
  });

  test('a job that was taken and has not begun waits again', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const closed = new Promise((resolve) => worker.once('active', () => resolve(worker.close({ timeout: 0 }))));
    const job = await queue.add('spin', {});
    await closed;
    assert.equal(await job.getState(), 'waiting');
    assert.equal(pool.seen.read('begun'), 0);
  });

  test('a second call sets a limit to the first', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const job = await queue.add('spin', {});
    await running(pool, 1);
    const first = worker.close();
    await worker.close({ timeout: 0 });
    await first;
    assert.equal(await job.getState(), 'waiting');
  });

  test('a job that ends within the timeout is completed', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const job = await queue.add('waitForGate', 'in time');
    await running(pool, 1);
    const closed = worker.close({ timeout: 60_000 });
    pool.seen.openGate();
    await closed;
    assert.equal((await house.ended(queue, job)).returnvalue, 'in time');
  });

  test('close(true) stops the tasks and waits for none', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool);
    const job = await queue.add('spin', {});
    await running(pool, 1);
    await worker.close(true);
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
    // Given back, if the connection lived long enough; else found without a lock, later.
    assert.ok(['waiting', 'active'].includes(await job.getState()));
  });

  test('closePool closes the pool too', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { closePool: true });
    const job = await queue.add('double', { number: 1 });
    assert.equal((await house.ended(queue, job)).returnvalue, 2);
    await worker.close();
    assert.equal(pool.closed, true);
    assert.equal(pool.threads, 0);
  });

  test('refuses what is no option', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool());
    await assert.rejects(worker.close({ timout: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /did you mean 'timeout'/ });
    await assert.rejects(worker.close('now'), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  });
});

describe('a pool that is closed before its worker', () => {
  test('the worker pauses and says so; the jobs stay for others', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { busyDelay: 1 });
    const failed = [];
    worker.on('failed', (job) => failed.push(job.id));
    const jobs = await queue.addBulk(Array.from({ length: 4 }, () => ({ name: 'spin', data: {} })));
    await running(pool, 2);
    await pool.destroy();
    await until(() => worker.isPaused(), 'the worker has paused');
    assert.deepEqual(worker.errors.map(({ code }) => code), ['ERR_RW_POOL_CLOSED']);
    const other = house.worker(queue, house.pool(), { task: 'echo' });
    for (const job of jobs) {
      const { state, attemptsMade } = await house.ended(queue, job);
      assert.deepEqual({ state, attemptsMade }, { state: 'completed', attemptsMade: 1 });
    }
    assert.deepEqual([...failed, ...other.errors], []);
    // It pauses again, whatever the program says.
    await other.close();
    const late = await queue.add('spin', {});
    await worker.resume();
    await until(() => worker.errors.length === 2 && worker.isPaused(), 'it has paused again');
    await until(async () => (await late.getState()) === 'waiting', 'the job waits');
  });
});
