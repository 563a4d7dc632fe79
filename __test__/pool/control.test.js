'use strict';

// Signals, time limits, the queue's limit, and closing.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { busyPool } = require('../support/pools');
const { blockUntil, turns, until } = require('../support/until');

test('a signal that is already aborted: nothing is run', async () => {
  const pool = new WorkerPool();
  const reason = new Error('changed my mind');
  await assert.rejects(pool.run('panic', 'never', { signal: AbortSignal.abort(reason) }), (error) => {
    assert.equal(error.name, 'AbortError');
    assert.equal(error.code, 'ERR_RW_TASK_CANCELLED');
    assert.equal(error.cause, reason);
    return true;
  });
  assert.equal(pool.stats().submitted, 0);
  await pool.close();
});

test('a task aborted in the queue is taken out of it at once', async () => {
  const { pool, free } = await busyPool();
  const stop = new AbortController();
  const queued = pool.run('panic', 'never', { signal: stop.signal });
  assert.equal(pool.queueSize, 1);
  stop.abort();
  await assert.rejects(queued, { name: 'AbortError' });
  assert.equal(pool.queueSize, 0);
  free();
  await pool.close();
  assert.equal(pool.stats().failed, 0);
});

test('a running task that is aborted frees its thread, which lives on', async () => {
  const { pool, blocker, free } = await busyPool();
  free();
  await assert.rejects(blocker, { name: 'AbortError', code: 'ERR_RW_TASK_CANCELLED' });
  // It would sleep for a minute.
  assert.equal(await pool.run('fibonacci', 20), 6765);
  assert.ok(pool.stats().runTime < 50_000);
  assert.equal(pool.threads, 1);
  await pool.close();
});

test('every long built-in lets go when aborted', { timeout: 120_000 }, async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const bytes = Buffer.alloc(64 * 1024 * 1024, 'some words ');
  const numbers = Float64Array.from({ length: 4_000_000 }, () => Math.random());
  /** Aborts a task that runs: its outcome, and the time for which it has run when its thread is free again, in ms. */
  const abort = async (task, input) => {
    const { runTime, completed } = pool.stats();
    const stop = new AbortController();
    const run = pool.run(task, input, { signal: stop.signal }).then(() => 'ended', ({ name }) => name);
    await until(() => pool.stats().running === 1 || pool.stats().completed > completed, `${task} runs`);
    stop.abort();
    const outcome = await run;
    assert.equal(await pool.run('fibonacci', 1), 1);
    return [outcome, pool.stats().runTime - runTime];
  };
  // Hours, if they did not.
  const endless = [
    ['fibonacci', 70],
    ['primes', 10_000_000_000],
    ['sumSqrt', { n: 2, iterations: 400_000_000_000 }],
    ['sleep', 1_000_000],
  ];
  for (const [task, input] of endless) assert.equal((await abort(task, input))[0], 'AbortError', task);
  for (const [task, input] of [['sha512', bytes], ['wordCount', bytes], ['sort', numbers]]) {
    const { runTime } = pool.stats();
    await pool.run(task, input);
    const whole = pool.stats().runTime - runTime;
    // A busy machine may hold up the abort until the task has nearly ended: not each time.
    await until(async () => {
      const [outcome, time] = await abort(task, input);
      return outcome === 'AbortError' && time < whole / 2;
    }, `${task} lets go of its thread`);
  }
  await pool.close();
});

test('aborting after the end changes nothing, and the signal holds no listener', async () => {
  const pool = new WorkerPool();
  const stop = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = stop.signal;
  stop.signal.addEventListener = (...rest) => (listeners++, addEventListener.apply(stop.signal, rest));
  stop.signal.removeEventListener = (...rest) => (listeners--, removeEventListener.apply(stop.signal, rest));
  assert.equal(await pool.run('fibonacci', 10, { signal: stop.signal }), 55);
  assert.equal(listeners, 0);
  stop.abort();
  await pool.close();
});

test('a thousand tasks share one signal, in order, without a warning', async () => {
  const pool = new WorkerPool();
  const stop = new AbortController();
  const warnings = [];
  const note = (warning) => warnings.push(warning.name);
  process.on('warning', note);
  const order = [];
  const runs = Array.from({ length: 1000 }, (_, n) =>
    pool.run('sleep', 60_000, { signal: stop.signal }).catch((error) => {
      assert.equal(error.name, 'AbortError');
      order.push(n);
    }),
  );
  stop.abort();
  await Promise.all(runs);
  // Warnings come in a tick of their own.
  await turns(2);
  process.off('warning', note);
  assert.deepEqual(order, Array.from({ length: 1000 }, (_, n) => n));
  assert.deepEqual(warnings, []);
  await pool.close();
});

test('a time limit ends a queued task and a running one', async () => {
  const { pool, free } = await busyPool();
  await assert.rejects(pool.run('panic', 'never', { timeout: 20 }), (error) => {
    assert.ok(error instanceof errors.TaskTimeoutError);
    assert.equal(error.name, 'TimeoutError');
    assert.equal(error.code, 'ERR_RW_TASK_TIMEOUT');
    return true;
  });
  free();
  await assert.rejects(pool.run('sleep', 60_000, { timeout: 20 }), { name: 'TimeoutError' });
  assert.equal(await pool.run('fibonacci', 10, { timeout: 10_000 }), 55);
  await pool.close();
});

test('a time limit holds even while this thread is blocked', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  const late = pool.run('sleep', 3_000, { timeout: 30 });
  const next = pool.run('fibonacci', 10);
  blockUntil(() => pool.stats().completed === 1, 'the second task is done');
  const { running, completed } = pool.stats();
  assert.deepEqual([running, completed], [0, 1], 'the second task is done although no timer could fire');
  await assert.rejects(late, { code: 'ERR_RW_TASK_TIMEOUT' });
  assert.equal(await next, 55);
  await pool.close();
});

test('a full queue refuses at once, gives the input back, and tells when there is room', async () => {
  const { pool, free } = await busyPool({ maxQueue: 2 });
  const needsDrain = once(pool, 'needsDrain');
  const first = pool.run('echo', 1);
  assert.equal(pool.needsDrain, false);
  const second = pool.run('echo', 2);
  assert.equal(pool.needsDrain, true);
  const input = { precious: true };
  await assert.rejects(pool.run('echo', input), (error) => {
    assert.ok(error instanceof errors.QueueFullError);
    assert.equal(error.code, 'ERR_RW_QUEUE_FULL');
    assert.equal(error.input, input);
    assert.match(error.message, /maxQueue is 2/);
    return true;
  });
  await needsDrain;
  const drain = once(pool, 'drain');
  free();
  await drain;
  assert.equal(pool.needsDrain, false);
  assert.deepEqual(await Promise.all([first, second, pool.run('echo', 3)]), [1, 2, 3]);
  await pool.close();
});

test('a transferred input comes back with the refusal of a full queue', async () => {
  const { pool, free } = await busyPool({ maxQueue: 0 });
  const bytes = new Uint8Array([1, 2, 3]);
  const refused = await pool.run('echo', bytes, { transfer: [bytes.buffer] }).catch((error) => error);
  assert.equal(refused.code, 'ERR_RW_QUEUE_FULL');
  assert.deepEqual(refused.input, new Uint8Array([1, 2, 3]));
  free();
  await pool.close();
});

test('priorities: higher first, equals in order', async () => {
  const { pool, free } = await busyPool();
  const order = [];
  const runs = [
    [1, 0],
    [2, 5],
    [3, -1],
    [4, 5],
  ].map(([n, priority]) => pool.run('echo', n, { priority }).then((value) => order.push(value)));
  free();
  await Promise.all(runs);
  assert.deepEqual(order, [2, 4, 1, 3]);
  await pool.close();
});

test('close finishes what was accepted and refuses the rest', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  const runs = Array.from({ length: 100 }, (_, n) => pool.run('echo', n));
  const closing = pool.close();
  await assert.rejects(pool.run('echo', 1), { code: 'ERR_RW_POOL_CLOSED' });
  await closing;
  assert.equal((await Promise.all(runs)).length, 100);
  const { threads, completed } = pool.stats();
  assert.deepEqual([threads, completed], [0, 100]);
  await pool.close();
  await assert.rejects(pool.run('echo', 1), { code: 'ERR_RW_POOL_CLOSED' });
});

test('destroy rejects what waits, stops what runs, and settles everything', async () => {
  const { pool, blocker } = await busyPool();
  const waiting = Array.from({ length: 20 }, () => pool.run('echo', 1));
  const batch = pool.map('echo', [1, 2, 3]);
  const closed = once(pool, 'close');
  await Promise.all([
    pool.destroy(),
    assert.rejects(blocker, { code: 'ERR_RW_POOL_CLOSED' }),
    assert.rejects(batch, { code: 'ERR_RW_POOL_CLOSED' }),
    ...waiting.map((run) => assert.rejects(run, { code: 'ERR_RW_POOL_CLOSED' })),
    closed,
  ]);
});

test('close refuses a `force` that is no boolean, and the pool stays open', async () => {
  const pool = new WorkerPool({ maxThreads: 1 });
  for (const force of ['yes', 1, null]) await assert.rejects(pool.close({ force }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  assert.equal(pool.closed, false);
  await pool.close({ force: false });
});

test('close with a timeout turns into a forced one', async () => {
  const { pool, blocker } = await busyPool();
  await pool.close({ timeout: 30 });
  // It would sleep for a minute.
  assert.ok(pool.stats().runTime < 50_000);
  await assert.rejects(blocker, { code: 'ERR_RW_POOL_CLOSED' });
});

test('await using closes the pool', { skip: !Symbol.asyncDispose && 'no Symbol.asyncDispose here' }, async () => {
  const pool = new WorkerPool();
  const run = pool.run('fibonacci', 20);
  await pool[Symbol.asyncDispose]();
  assert.equal(pool.closed, true);
  assert.equal(await run, 6765);
});

test('handles of closed pools are used again without mixing pools up', async () => {
  for (let round = 0; round < 200; round++) {
    const pools = Array.from({ length: 5 }, () => new WorkerPool({ maxThreads: 1 }));
    const values = await Promise.all(pools.map((pool, n) => pool.run('echo', round * 10 + n)));
    assert.deepEqual(values, [0, 1, 2, 3, 4].map((n) => round * 10 + n));
    await Promise.all(pools.map((pool, n) => (n % 2 ? pool.close() : pool.destroy())));
    assert.ok(pools.every((pool) => pool.completed === 1));
  }
});

test('options out of range are refused with the option named', () => {
  const bad = [
    [{ maxThreads: 0 }, 'ERR_RW_OUT_OF_RANGE', /options\.maxThreads/],
    [{ maxThreads: '4' }, 'ERR_RW_INVALID_ARG_TYPE', /options\.maxThreads/],
    [{ maxThreads: 1.5 }, 'ERR_RW_OUT_OF_RANGE', /options\.maxThreads/],
    [{ minThreads: 3, maxThreads: 2 }, 'ERR_RW_OUT_OF_RANGE', /minThreads/],
    [{ idleTimeout: -1 }, 'ERR_RW_OUT_OF_RANGE', /idleTimeout/],
    [{ idleTimeout: NaN }, 'ERR_RW_OUT_OF_RANGE', /idleTimeout/],
    [{ maxQueue: -1 }, 'ERR_RW_OUT_OF_RANGE', /maxQueue/],
    [{ stackSize: 1 }, 'ERR_RW_OUT_OF_RANGE', /stackSize/],
    [{ name: 5 }, 'ERR_RW_INVALID_ARG_TYPE', /options\.name/],
    [{ name: 'a\0b' }, 'ERR_RW_INVALID_ARG_VALUE', /NUL/],
    [null, 'ERR_RW_INVALID_ARG_TYPE', /"options"/],
  ];
  for (const [options, code, message] of bad) {
    assert.throws(() => new WorkerPool(options), { code, message });
  }
});

test('run options out of range reject', async () => {
  const pool = new WorkerPool();
  await assert.rejects(pool.run('noop', 1, { priority: 1.5 }), { code: 'ERR_RW_OUT_OF_RANGE' });
  await assert.rejects(pool.run('noop', 1, { timeout: -1 }), { code: 'ERR_RW_OUT_OF_RANGE' });
  await assert.rejects(pool.run('noop', 1, { timeout: '1' }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await assert.rejects(pool.run('noop', 1, { signal: {} }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  await assert.rejects(pool.run('noop', 1, null), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  assert.equal(await pool.run('noop', 1, { timeout: Infinity }), undefined);
  await pool.close();
});
