'use strict';

/** What a job is for the pool, and what becomes of its result, its progress and its errors. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { Worker } = require('bullmq');
const { WorkerPool, errors } = require('rust-workers');
const { PoolWorker, poolProcessor } = require('rust-workers/bullmq');

const { eventOf, until, useRedis } = require('./support/house');

const house = useRedis();

/** Adds one job and waits for its end. */
async function runOne(queue, name, data, options) {
  return house.ended(queue, await queue.add(name, data, options));
}

/** The error with which the job failed last, as this process has it, and the job as it is stored. */
async function failOne(queue, worker, name, data, options) {
  const failures = [];
  const tell = (failed, error) => failures.push(error);
  worker.on('failed', tell);
  const job = await runOne(queue, name, data, options);
  assert.equal(job.state, 'failed');
  await until(() => failures.length === job.attemptsMade, 'all failures are told');
  worker.off('failed', tell);
  return { job, error: failures.at(-1), failures };
}

describe('the task of a job', () => {
  test('is the function of the job’s name, with its data', async () => {
    const queue = await house.queue();
    house.worker(queue, house.pool());
    const job = await runOne(queue, 'double', { number: 21 });
    assert.equal(job.state, 'completed');
    assert.equal(job.returnvalue, 42);
  });

  test('is a native task in a pool without a script, and with native: in any pool', async () => {
    const queue = await house.queue();
    const plain = new WorkerPool({ maxThreads: 1 });
    house.closing(() => plain.close());
    house.worker(queue, plain);
    assert.equal((await runOne(queue, 'primes', 100)).returnvalue, 25);
    const other = await house.queue();
    house.worker(other, house.pool());
    assert.equal((await runOne(other, 'native:primes', 100)).returnvalue, 25);
  });

  test('is the one that `task` names; "default" is the default export', async () => {
    const pool = house.pool();
    const [queue, other] = [await house.queue(), await house.queue()];
    house.worker(queue, pool, { task: 'double' });
    house.worker(other, pool, { task: 'default' });
    assert.equal((await runOne(queue, 'whatever', { number: 2 })).returnvalue, 4);
    assert.deepEqual((await runOne(other, 'whatever', { number: 2 })).returnvalue, { default: { number: 2 } });
  });

  test('is what the function `task` says, also later: name, input and options', async () => {
    const queue = await house.queue();
    const moved = [];
    house.worker(queue, house.pool(), {
      task: async (job) => {
        const bytes = new Uint8Array(job.data.length);
        moved.push(bytes);
        return ['bytes', bytes, { transfer: [bytes.buffer], priority: 1 }];
      },
    });
    assert.equal((await runOne(queue, 'any', { length: 1000 })).returnvalue, 1000);
    assert.equal(moved[0].byteLength, 0);
  });

  test('is given the job with input: "job"', async () => {
    const queue = await house.queue();
    house.worker(queue, house.pool(), { input: 'job' });
    const { id, returnvalue, timestamp } = await runOne(queue, 'echo', { a: 1 }, { attempts: 3 });
    const { opts, ...view } = returnvalue;
    assert.deepEqual(view, {
      id, name: 'echo', queueName: queue.name, data: { a: 1 }, timestamp, attemptsMade: 0, attemptsStarted: 1, stalledCounter: 0,
    });
    assert.equal(opts.attempts, 3);
  });

  test('`result` makes the job’s result of the output', async () => {
    const queue = await house.queue();
    house.worker(queue, house.pool(), { result: async (output, job) => `${job.name}: ${output}` });
    assert.equal((await runOne(queue, 'digits')).returnvalue, 'digits: 10');
  });

  test('two queues share one pool', async () => {
    const pool = house.pool();
    const queues = [await house.queue(), await house.queue()];
    for (const queue of queues) house.worker(queue, pool);
    const jobs = await Promise.all(
      queues.flatMap((queue, at) =>
        Array.from({ length: 20 }, async (_, number) => [await runOne(queue, 'double', { number: number + 100 * at }), number, at]),
      ),
    );
    for (const [job, number, at] of jobs) assert.equal(job.returnvalue, 2 * (number + 100 * at));
  });
});

describe('concurrency', () => {
  test('is that of the pool, and follows it', async () => {
    const queue = await house.queue();
    const pool = house.pool({ maxThreads: 3 });
    const worker = house.worker(queue, pool);
    assert.equal(worker.concurrency, 3);
    const jobs = await queue.addBulk(Array.from({ length: 9 }, (_, at) => ({ name: 'waitForGate', data: at })));
    await until(() => pool.seen.read('running') === 3, 'three jobs run');
    assert.equal(await queue.getActiveCount(), 3);
    pool.seen.openGate();
    for (const job of jobs) assert.equal((await house.ended(queue, job)).state, 'completed');
    assert.equal(pool.seen.read('most'), 3);
    // As a pool that was resized says.
    const { options } = pool;
    Object.defineProperty(pool, 'options', { get: () => ({ ...options, maxThreads: 5 }) });
    await runOne(queue, 'double', { number: 1 });
    assert.equal(worker.concurrency, 5);
  });

  test('counts the tasks that one script worker runs at a time', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool({ maxThreads: 2, concurrentTasksPerWorker: 10 }));
    assert.equal(worker.concurrency, 20);
  });

  test('stays the one that was given', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool({ maxThreads: 2 }), { concurrency: 1 });
    await runOne(queue, 'double', { number: 1 });
    assert.equal(worker.concurrency, 1);
  });
});

describe('progress', () => {
  test('arrives in order, the last report before the job is completed', async () => {
    const queue = await house.queue();
    const told = [];
    const ends = [];
    queue.events.on('progress', ({ data }) => told.push(data.done));
    queue.events.on('completed', () => ends.push(told.at(-1)));
    const worker = house.worker(queue, house.pool());
    const local = [];
    worker.on('progress', (job, { done }) => local.push(done));
    const job = await runOne(queue, 'count', { to: 2000 });
    assert.equal(job.state, 'completed');
    assert.deepEqual(job.progress, { done: 2000 });
    await until(() => ends.length === 1, 'the end is told');
    assert.deepEqual(ends, [2000]);
    assert.deepEqual(told, [...told].sort((a, b) => a - b));
    assert.equal(new Set(told).size, told.length);
    assert.deepEqual(local, told);
    // Written one at a time, so most of a quick task's reports are passed over.
    assert.ok(told.length < 2000);
  });

  test('that cannot be written fails the job and stops the task', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool());
    const { error } = await failOne(queue, worker, 'reportOddly');
    assert.ok(error instanceof TypeError);
    assert.match(error.message, /BigInt/);
  });
});

describe('errors', () => {
  test('of a script arrive whole; the job is tried again after its backoff', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool());
    const delays = [];
    queue.events.on('delayed', ({ jobId }) => delays.push(jobId));
    const data = { message: 'too deep' };
    const { job, failures } = await failOne(queue, worker, 'failDeeply', data, { attempts: 3, backoff: { type: 'fixed', delay: 20 } });
    assert.equal(failures.length, 3);
    for (const error of failures) {
      assert.ok(error instanceof RangeError);
      assert.equal(error.code, 'E_DEEP');
      assert.deepEqual(error.details, { tries: 3 });
    }
    assert.equal(job.failedReason, 'too deep');
    assert.equal(job.stacktrace.length, 3);
    for (const stack of job.stacktrace) assert.match(stack, /^RangeError: too deep\n.*innerFunctionThatFails.*fixtures.work\.js/s);
    await until(() => delays.length === 2, 'two delays are told');
  });

  test('of a worker that exits: the job is tried again, and others go on', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool(), { input: 'job' });
    const failed = eventOf(worker, 'failed', 'crash');
    const others = await queue.addBulk(Array.from({ length: 10 }, (_, at) => ({ name: 'echo', data: at })));
    const job = await runOne(queue, 'exitOnce', {}, { jobId: 'crash', attempts: 2 });
    assert.equal((await failed)[1].code, 'ERR_RW_WORKER_EXITED');
    assert.equal(job.state, 'completed');
    assert.equal(job.returnvalue, 'done');
    for (const other of others) assert.equal((await house.ended(queue, other)).state, 'completed');
  });

  const hopeless = [
    ['a function that does not exist', 'nowhere', {}, {}, 'ERR_RW_UNKNOWN_TASK', /nowhere/],
    ['a native task that does not exist', 'native:nowhere', {}, {}, 'ERR_RW_UNKNOWN_TASK', /nowhere/],
    ['an input that a native task does not take', 'native:primes', 'many', {}, 'ERR_RW_INVALID_INPUT', /primes/],
    ['an input out of range', 'native:fibonacci', 1000, {}, 'ERR_RW_OUT_OF_RANGE', /78/],
    ['an input that cannot be cloned', 'any', {}, { task: () => ['echo', () => {}] }, 'DataCloneError', /could not be cloned/],
    ['an option that does not exist', 'any', {}, { task: () => ['echo', 1, { signal: 1 }] }, 'ERR_RW_INVALID_ARG_VALUE', /cancelJob/],
    ['a task that is not named', 'any', {}, { task: () => 5 }, 'ERR_RW_INVALID_ARG_TYPE', /Received 5/],
    ['a time limit that is none', 'any', {}, { timeout: () => 'soon' }, 'ERR_RW_INVALID_ARG_TYPE', /options\.timeout/],
    ['a deadline that is no date', 'any', {}, { deadline: () => new Date('soon') }, 'ERR_RW_OUT_OF_RANGE', /options\.deadline/],
    ['a task that takes itself for a processor', 'failAs', { name: 'DelayedError' }, {}, 'DelayedError', /only a processor/],
  ];
  for (const [title, name, data, options, code, message] of hopeless) {
    test(`${title}: not tried again`, async () => {
      const queue = await house.queue();
      const worker = house.worker(queue, house.pool(), options);
      const { job, error, failures } = await failOne(queue, worker, name, data, { attempts: 5 });
      assert.equal(failures.length, 1);
      assert.equal(error.name, 'UnrecoverableError');
      assert.equal(error.cause.code === undefined || typeof error.cause.code === 'number' ? error.cause.name : error.cause.code, code);
      assert.match(job.failedReason, message);
      assert.match(job.stacktrace[0], /Caused by: /);
    });
  }

  test('an UnrecoverableError that the script throws is one', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool());
    const { failures } = await failOne(queue, worker, 'failAs', { name: 'UnrecoverableError' }, { attempts: 5 });
    assert.equal(failures.length, 1);
  });

  test('what is thrown and is no error becomes one', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool());
    const { job, error } = await failOne(queue, worker, 'failWith', { value: { just: 'data' } });
    assert.match(job.failedReason, /just: 'data'/);
    assert.deepEqual(error.cause, { just: 'data' });
  });
});

describe('time limits', () => {
  test('a timeout stops a loop; the job is tried again', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { timeout: (job) => job.data.limit });
    // Until a loop has begun, however long a thread takes to start.
    const limits = (function* () {
      for (let limit = 50; ; limit *= 2) yield limit;
    })();
    while (pool.seen.read('begun') === 0) {
      const { error, failures } = await failOne(queue, worker, 'spin', { limit: limits.next().value }, { attempts: 2 });
      assert.equal(failures.length, 2);
      for (const failure of [error, ...failures]) assert.equal(failure.code, 'ERR_RW_TASK_TIMEOUT');
    }
    await until(() => pool.seen.read('stopped') === pool.seen.read('begun'), 'each loop saw it');
  });

  test('a deadline stops a loop; the job fails for good', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { timeout: 60_000, deadline: (job) => new Date(job.timestamp + 300) });
    await pool.runTask({ number: 1 }, { name: 'double' });
    const { error, failures } = await failOne(queue, worker, 'spin', {}, { attempts: 3 });
    assert.equal(failures.length, 1);
    assert.equal(error.name, 'UnrecoverableError');
    assert.equal(error.cause.code, 'ERR_RW_TASK_TIMEOUT');
    await until(() => pool.seen.read('stopped') === pool.seen.read('begun'), 'the loop saw it');
  });

  test('a deadline that has passed: the task does not begin', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const worker = house.worker(queue, pool, { deadline: 1 });
    const { error } = await failOne(queue, worker, 'spin', {}, { attempts: 3 });
    assert.match(error.message, /before it began/);
    assert.equal(pool.seen.read('begun'), 0);
  });

  for (const [title, options] of [['none', {}], ['one far away', { deadline: () => Date.now() + 1e9 }]]) {
    test(`a time limit inside the task is the task’s own, whatever the deadline: ${title}`, async () => {
      const queue = await house.queue();
      const worker = house.worker(queue, house.pool(), options);
      const { error, failures } = await failOne(queue, worker, 'timeOutInside', {}, { attempts: 2 });
      assert.equal(failures.length, 2);
      assert.equal(error.code, 'ERR_RW_TASK_TIMEOUT');
    });
  }
});

describe('a pool whose queue is full', () => {
  test('the job is delayed, does not fail, and is done in the end', async () => {
    const queue = await house.queue();
    const pool = house.pool({ maxThreads: 1, maxQueue: 0 });
    const worker = house.worker(queue, pool, { busyDelay: 5 });
    const delayed = [];
    queue.events.on('delayed', ({ jobId }) => delayed.push(jobId));
    let failed = 0;
    worker.on('failed', () => (failed += 1));
    // Other work has the only thread.
    const other = pool.run('waitForGate', 'other');
    await until(() => pool.seen.read('running') === 1, 'other work runs');
    const job = await queue.add('double', { number: 4 });
    await until(() => delayed.length >= 3, 'the job came back several times');
    pool.seen.openGate();
    assert.equal(await other, 'other');
    const { state, returnvalue, attemptsMade } = await house.ended(queue, job);
    assert.deepEqual({ state, returnvalue, attemptsMade, failed }, { state: 'completed', returnvalue: 8, attemptsMade: 1, failed: 0 });
    assert.deepEqual(worker.errors, []);
  });

  test('a full queue inside the task is the task’s own error', async () => {
    const queue = await house.queue();
    const worker = house.worker(queue, house.pool());
    const { error } = await failOne(queue, worker, 'failFullInside', { input: 5 });
    assert.equal(error.message, 'a queue of my own is full');
  });
});

describe('poolProcessor', () => {
  test('runs in a Worker of BullMQ’s, and takes its signal', async () => {
    const queue = await house.queue();
    const pool = house.pool();
    const process = poolProcessor(pool, { input: 'job' });
    assert.equal(process.length, 3);
    const worker = new Worker(queue.name, process, { connection: house.connection, concurrency: 2 });
    house.closing(() => worker.close());
    assert.equal((await runOne(queue, 'echo', 7)).returnvalue.data, 7);
    const job = await queue.add('spin', {});
    await until(() => pool.seen.read('running') === 1, 'the loop runs');
    assert.equal(worker.cancelJob(job.id, 'no longer wanted'), true);
    assert.equal((await house.ended(queue, job)).failedReason, 'The job was cancelled: no longer wanted');
    await until(() => pool.seen.read('stopped') === 1, 'the loop saw it');
  });
});

test('wrong arguments are typed errors', () => {
  const pool = house.pool();
  const { InvalidArgTypeError, InvalidArgValueError, OutOfRangeError } = errors;
  assert.throws(() => poolProcessor({}), InvalidArgTypeError);
  assert.throws(() => poolProcessor(pool, { task: 5 }), InvalidArgTypeError);
  assert.throws(() => poolProcessor(pool, { tsk: 'a' }), (error) => error instanceof InvalidArgValueError && /did you mean 'task'/.test(error.message));
  assert.throws(() => poolProcessor(pool, { timeout: -1 }), OutOfRangeError);
  assert.throws(() => poolProcessor(pool, { input: 'all' }), InvalidArgValueError);
  assert.throws(() => new PoolWorker('q', pool), InvalidArgTypeError);
  assert.throws(() => new PoolWorker('q', pool, { connection: {}, retryCancelled: 1 }), InvalidArgTypeError);
  assert.throws(() => new PoolWorker('q', undefined, { connection: {} }), InvalidArgTypeError);
});
