'use strict';

// Tasks that submit tasks to their own pool (`task.pool`) and wait for them: at any size, with failures, cancellation and ends in the middle.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors, task } = require('rust-workers');
const { script, using } = require('../support/pools');
const { REFUSED_CALLS } = require('../support/refused-calls');
const { inTime, until } = require('../support/until');

const open = (options) => new WorkerPool(script('nests.js'), { maxThreads: 1, killTimeout: 200, ...options });
const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));
const errorOf = (promise) => inTime(promise.then((value) => assert.fail(`it gave ${value}`), (error) => error), 'it fails');
const sizeOf = (depth, width) => (depth === 0 ? 1 : 1 + width * sizeOf(depth - 1, width));

async function isFree(pool) {
  await until(() => pool.stats().running === 0 && pool.queueSize === 0, 'nothing is left');
}

const POOLS = {
  'one worker': {},
  'one worker, several at a time': { concurrentTasksPerWorker: 3 },
  'three workers': { maxThreads: 3 },
  'nothing may wait': { maxThreads: 1, maxQueue: 100 },
  'recycled after each task': { recycle: { afterTasks: 1 } },
  'recycled, two workers': { maxThreads: 2, recycle: { afterTasks: 3 } },
  'a worker that blocks': { wait: 'block' },
  'one of a name at a time': { limits: { tasks: { tree: 1, byScope: 1, byMap: 1, breaks: 1 } } },
};

for (const [name, options] of Object.entries(POOLS)) {
  test(`${name}: trees of tasks are done`, () => using(open(options), async (pool) => {
    for (const [depth, width] of [[1, 1], [5, 1], [1, 40], [2, 8], [4, 3]]) {
      for (const run of ['tree', 'byScope', 'byMap']) {
        assert.equal(await inTime(pool.run(run, [depth, width]), `${run}, ${depth} deep, ${width} wide`), sizeOf(depth, width));
      }
    }
    const many = await inTime(Promise.all(Array.from({ length: 6 }, (_, i) => pool.run('tree', [2, 3], i % 2 ? { timeout: 60_000 } : undefined))), 'several trees');
    assert.deepEqual(many, Array(6).fill(13));
    await isFree(pool);
  }));

  test(`${name}: one that fails in the middle, and one that is cancelled there`, () => using(open(options), async (pool) => {
    const failure = await errorOf(pool.run('breaks', [3, 3, 'throws', cellsOf()]));
    assert.ok(failure instanceof RangeError, String(failure));
    assert.deepEqual([failure.message, failure.mine], ['a leaf', { a: 1 }]);
    await isFree(pool);
    const stop = new AbortController();
    const cells = cellsOf();
    const run = pool.run('breaks', [3, 3, 'waits', cells], { signal: stop.signal });
    run.catch(() => {});
    await until(() => cells[1] === 1, 'a leaf waits');
    stop.abort(new Error('enough'));
    assert.equal((await errorOf(run)).cause.message, 'enough');
    await isFree(pool);
    assert.equal(await inTime(pool.run('tree', [2, 3]), 'it goes on'), 13);
  }));
}

test('a leaf that does not stop is ended with its worker, and all that waited there with it', () => using(open(), async (pool) => {
  const error = await errorOf(pool.run('breaks', [2, 2, 'loops', cellsOf()], { deadline: 400 }));
  assert.equal(error.code, 'ERR_RW_DEADLINE');
  assert.equal(await inTime(pool.run('tree', [2, 3]), 'it goes on'), 13);
  await isFree(pool);
}));

test('what stops a task stops its tasks, and it is given time until they have stopped', () => using(open({ maxThreads: 2 }), async (pool) => {
  for (const name of ['waits', 'spins', 'loops']) {
    const cells = cellsOf();
    const stop = new AbortController();
    const run = pool.run('keeps', [name, cells], { signal: stop.signal });
    run.catch(() => {});
    await until(() => cells[1] === 1, `${name} runs`);
    stop.abort(new Error('all of it'));
    assert.equal((await errorOf(run)).cause.message, 'all of it');
    // The outer one waits until the inner has let go of its worker, and is not ended with its own meanwhile.
    await until(() => cells[2] === 1, `${name}: the outer task has seen the end`);
    await isFree(pool);
  }
}));

test('a worker that dies takes what its tasks have submitted along; other workers go on', () => using(open({ maxThreads: 2 }), async (pool) => {
  const error = await errorOf(pool.run('runs', ['dies']));
  assert.equal(error.code, 'ERR_RW_WORKER_EXITED');
  const cells = cellsOf();
  const waiting = pool.run('runs', ['waits', cells]);
  waiting.catch(() => {});
  await until(() => cells[1] === 1, 'it waits');
  // The one of the two that runs the outer task, or the inner.
  pool.workers.find(({ running }) => running > 0)?.recycle?.();
  for (const { id } of pool.workers) pool.recycle?.(id);
  assert.equal(await inTime(pool.run('tree', [1, 2]), 'it goes on'), 3);
  await pool.destroy();
  assert.equal((await errorOf(waiting)).code, 'ERR_RW_POOL_CLOSED');
}));

test('close() in the middle finishes trees, also what is submitted after it; destroy() rejects all', async () => {
  const closing = open();
  await closing.run('same', 1);
  const runs = [closing.run('tree', [3, 3]), closing.run('byScope', [3, 2])];
  const done = closing.close();
  assert.deepEqual(await inTime(Promise.all(runs), 'they are finished'), [40, 15]);
  await inTime(done, 'it closes');
  const destroyed = open({ maxThreads: 2 });
  await destroyed.run('same', 1);
  const trees = [destroyed.run('tree', [6, 4]), destroyed.run('byScope', [6, 4])];
  await until(() => destroyed.stats().completed > 10, 'they grow');
  const end = destroyed.destroy();
  for (const tree of trees) assert.equal((await errorOf(tree)).code, 'ERR_RW_POOL_CLOSED');
  await inTime(end, 'it is destroyed');
});

test('errors of the pool come with their classes, and values of every kind there and back', () => using(open(), async (pool) => {
  assert.deepEqual(await pool.run('carries'), ['through', 5, 'abc', 5_000, 0, true]);
  assert.deepEqual(await pool.run('reports'), [{ n: 0 }, { n: 1 }, { n: 2 }]);
  assert.deepEqual(await pool.run('outcome', ['same', 7]), { value: 7 });
  assert.equal(Buffer.from((await pool.run('outcome', ['native:sha256', 'a'])).value).toString('hex').slice(0, 6), 'ca9781');
  for (const [code, given] of Object.entries(REFUSED_CALLS)) assert.equal((await pool.run('outcome', given)).code, code);
  const late = await pool.run('outcome', ['same', 1, { deadline: -1 }]);
  assert.deepEqual([late.kind, late.started], ['TimeoutError', false]);
  const failure = await errorOf(pool.run('runs', ['throws']));
  assert.ok(failure instanceof RangeError && failure.extra[0] === 1);
  assert.ok((await errorOf(pool.run('runs', ['nobody']))) instanceof errors.UnknownTaskError);
  assert.equal(await pool.run('topLevel'), true);
  assert.equal(task.pool, undefined);
}));

test('deadline, priority and identity of tasks that wait beside others', () => using(open(), async (pool) => {
  const near = (value) => assert.ok(Math.abs(value - 600_000) < 20_000, `${value}`);
  near(await pool.run('leftWithin', undefined, { deadline: 600_000 }));
  assert.equal(await pool.run('leftWithin'), undefined);
  const names = Array.from({ length: 30 }, (_, i) => `task ${i}`);
  const seen = await Promise.all(names.map((name, i) => pool.run('identity', name, i % 3 ? { deadline: 600_000 + i * 60_000 } : undefined)));
  assert.deepEqual(seen, names);
  const error = await errorOf(pool.run('runs', ['native:sleep', 60_000], { deadline: 100 }));
  assert.equal(error.code, 'ERR_RW_DEADLINE');
  await isFree(pool);
}));

test('a worker runs no more at once than it may, beside those that wait', () => using(open(), async (pool) => {
  assert.equal(await pool.run('countedByMap', 20), 1);
  for (let i = 0; i < 10; i++) assert.equal(await pool.run('forgets'), 'did not wait');
  await Promise.all([pool.run('tree', [3, 3]), pool.map('counted', Array(10).fill(undefined))]);
  const most = await pool.map('counted', Array(20).fill(undefined));
  assert.ok(Math.max(...most) <= 2, `${most}: one that goes on may find another`);
  await using(open({ concurrentTasksPerWorker: 4, killTimeout: Infinity }), async (several) => {
    assert.equal(await several.run('countedByMap', 20), 4);
  });
}));

test('the owner is blocked meanwhile', () => using(open(), async (pool) => {
  await pool.run('same', 1);
  assert.equal(pool.runSync('tree', [3, 3], { timeout: 20_000 }), 40);
}));

test('the options of a nested task hold, or are refused by name', () => using(open({ concurrentTasksPerWorker: 4 }), async (pool) => {
  assert.deepEqual(await inTime(pool.run('countedByKey'), 'one after the other'), [1, 1, 1, 1]);
  const [calls, last] = await inTime(pool.run('latestReports', 20_000), 'the latest reports');
  assert.ok(calls < 20_000 && last === 20_000, `${calls} calls, the last with ${last}`);
  const { id } = pool.workers[0];
  assert.equal(await inTime(pool.run('runs', ['where', 0, { worker: id }]), 'its worker'), id);
  assert.equal((await errorOf(pool.run('runs', ['where', 0, { worker: 99 }]))).code, 'ERR_RW_INVALID_ARG_VALUE');
  // From the file of the script that asks.
  assert.equal(await inTime(pool.run('runs', ['self', 0, { filename: './calls.mjs' }]), 'another module'), true);
  for (const name of ['cache', 'dedupe', 'onOutput', 'retries']) {
    const error = await errorOf(pool.run('runsWith', name));
    assert.deepEqual([error.code, error.message.includes(`'${name}'`)], ['ERR_RW_INVALID_ARG_VALUE', true]);
  }
  assert.equal((await errorOf(pool.run('asyncMap'))).code, 'ERR_RW_INVALID_ARG_TYPE');
  await isFree(pool);
}));
