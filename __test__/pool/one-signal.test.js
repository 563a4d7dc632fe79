'use strict';

// One signal for very many tasks, and the end of a pool with very many: no task is lost, none begins any more, each promise
// is rejected, and the event loop goes on meanwhile.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { busyPool, holdWorker, script } = require('../support/pools');
const { until } = require('../support/until');

const MANY = 20_000;

/** How each of the promises was settled; and in how many turns of the loop. */
async function outcomesOf(promises) {
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const outcomes = await Promise.allSettled(promises);
  isDone = true;
  return { outcomes, turns };
}

test('one signal ends all tasks that wait, over several turns, with one error', async () => {
  const { pool, free } = await busyPool();
  const stop = new AbortController();
  const promises = Array.from({ length: MANY }, (_, i) => pool.run('echo', i, { signal: stop.signal }));
  const other = pool.run('echo', 'not the signal');
  assert.equal(pool.queueSize, MANY + 1);
  const reason = new Error('enough');
  stop.abort(reason);
  const { outcomes, turns } = await outcomesOf(promises);
  const errors = new Set(outcomes.map(({ reason: error }) => error));
  assert.equal(errors.size, 1);
  const [error] = errors;
  assert.equal(error.name, 'AbortError');
  assert.equal(error.code, 'ERR_RW_TASK_CANCELLED');
  assert.equal(error.cause, reason);
  assert.ok(turns > 2, `${turns} turns`);
  await assert.rejects(pool.run('echo', 1, { signal: stop.signal }), { name: 'AbortError', cause: reason });
  free();
  assert.equal(await other, 'not the signal');
  await pool.close();
  const { submitted, completed, cancelled, queueSize } = pool.stats();
  assert.deepEqual({ queueSize, submitted, ended: completed + cancelled }, { queueSize: 0, submitted, ended: submitted });
});

test('no task of a signal begins, or is answered, after it has aborted', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  const stop = new AbortController();
  const promises = Array.from({ length: MANY }, (_, i) => pool.run('echo', { i }, { signal: stop.signal }));
  let settled = 0;
  let isAborted = false;
  let late = 0;
  for (const promise of promises) promise.then(() => { settled++; if (isAborted) late++; }, () => {});
  while (settled < 100) await new Promise(setImmediate);
  stop.abort();
  // Those that are settled by now have continuations to come in this turn.
  await Promise.resolve();
  isAborted = true;
  const { outcomes } = await outcomesOf(promises);
  assert.equal(late, 0);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, settled);
  assert.ok(outcomes.every(({ status, reason }) => status === 'fulfilled' || reason.name === 'AbortError'));
  await pool.close();
});

test('a time limit ends one task of a signal, and not the others', async () => {
  const pool = new WorkerPool({ maxThreads: 3 });
  const stop = new AbortController();
  const { signal } = stop;
  const plain = pool.run('sleep', 3_600_000, { signal });
  const limited = pool.run('sleep', 3_600_000, { signal, timeout: 30 });
  const waiting = pool.run('sleep', 1, { signal });
  await assert.rejects(limited, { code: 'ERR_RW_TASK_TIMEOUT' });
  assert.equal(await waiting, undefined);
  await until(() => pool.stats().running === 1, 'the task whose time was up has stopped');
  stop.abort();
  await assert.rejects(plain, { name: 'AbortError' });
  // The thread is free again: it was told to stop.
  await pool.close();
  assert.equal(pool.stats().cancelled, 2);
});

test('a signal is used again by tasks that come when all before them are done', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  const { signal } = new AbortController();
  for (let round = 0; round < 50; round++) {
    const results = await Promise.all([1, 2, 3].map((n) => pool.run('echo', { n }, { signal })));
    assert.deepEqual(results, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  }
  await pool.close();
});

test('a map whose input fails cancels no other task of its signal', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  const { signal } = new AbortController();
  const before = pool.run('sleep', 50, { signal });
  const map = pool.map('fib', [1, 2, -1], { signal });
  const after = pool.run('echo', { after: true }, { signal });
  await assert.rejects(map);
  assert.equal(await before, undefined);
  assert.deepEqual(await after, { after: true });
  await pool.close();
});

test('an abort from the catch of an aborted task, and tasks that come meanwhile', async () => {
  const { pool, free } = await busyPool();
  const first = new AbortController();
  const second = new AbortController();
  const run = (controller, i) => pool.run('echo', { i }, { signal: controller.signal });
  const ofFirst = Array.from({ length: MANY }, (_, i) => run(first, i));
  const ofSecond = Array.from({ length: MANY }, (_, i) => run(second, i));
  const late = [];
  ofFirst[0].catch(() => {
    second.abort();
    late.push(run(first, -1), run(second, -2));
    // What they come to is looked at later.
    for (const promise of late) promise.catch(() => {});
    free();
  });
  first.abort();
  const { outcomes } = await outcomesOf([...ofFirst, ...ofSecond]);
  assert.ok(outcomes.every(({ reason }) => reason?.name === 'AbortError'));
  const { outcomes: lateOutcomes } = await outcomesOf(late);
  assert.deepEqual(lateOutcomes.map(({ reason }) => reason?.name), ['AbortError', 'AbortError']);
  await pool.close();
});

test('one signal for many tasks of a script: none begins after the abort', async () => {
  const pool = new WorkerPool(script('counts.js'), { maxThreads: 1 });
  const began = new Int32Array(new SharedArrayBuffer(4));
  const { task, open } = await holdWorker(pool);
  const stop = new AbortController();
  const promises = Array.from({ length: 10_000 }, () => pool.run('count', began, { signal: stop.signal }));
  stop.abort();
  open();
  const { outcomes } = await outcomesOf(promises);
  assert.ok(outcomes.every(({ reason }) => reason?.name === 'AbortError'));
  await task;
  assert.equal(await pool.run('count', began), 1, 'none of them has begun');
  await pool.close();
});

test('destroy() with many tasks: the call returns at once, and every promise is rejected', async () => {
  const { pool } = await busyPool();
  const plain = Array.from({ length: MANY }, () => pool.run('noop'));
  const { signal } = new AbortController();
  const others = Array.from({ length: MANY }, (_, i) => pool.run('echo', { i }, { signal, timeout: 3_600_000 }));
  const closed = pool.destroy();
  const { outcomes, turns } = await outcomesOf([...plain, ...others]);
  assert.ok(turns > 2, `${turns} turns`);
  for (const [at, { reason }] of outcomes.entries()) {
    assert.equal(reason.code, 'ERR_RW_POOL_CLOSED');
    assert.equal(reason.task, at < MANY ? 'noop' : 'echo');
  }
  await closed;
  assert.equal(pool.stats().queueSize, 0);
  assert.ok(pool.stats().cancelled >= 2 * MANY);
});
