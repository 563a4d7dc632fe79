'use strict';

// progress: 'latest': a report that was not delivered is replaced by the next.

const assert = require('node:assert/strict');
const { after, describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { Gate, script: scriptPath, using } = require('../support/pools');
const { blockUntil, inTime, until } = require('../support/until');

const SCRIPT = scriptPath('flow.js');
const pool = new WorkerPool(SCRIPT, 2);
after(() => pool.destroy());

/** Runs a task that reports, and gives what came, the answer last. */
async function seen(task, input, options) {
  const all = [];
  const answer = await inTime(pool.run(task, input, { onProgress: (value) => all.push(value), ...options }), task);
  return { all, answer };
}

const isAscending = (all) => all.every((value, i) => i === 0 || value > all[i - 1]);

describe("progress: 'latest'", () => {
  test("'all' is the default: each report comes", async () => {
    const every = Array.from({ length: 3000 }, (_, i) => i + 1);
    assert.deepEqual((await seen('reports', { count: 3000 })).all, every);
    assert.deepEqual((await seen('reports', { count: 3000 }, { progress: 'all' })).all, every);
  });

  test('while this thread is busy, reports take the place of each other; the last comes, before the answer', async () => {
    const gate = new Gate();
    const all = [];
    const run = pool.run('reports', { count: 20_000, cells: gate.cells }, { progress: 'latest', onProgress: (value) => all.push(value) });
    blockUntil(() => gate.begun === 1, 'half of them were reported');
    assert.deepEqual(all, []);
    // Its loop has a turn: of the first half there is one report, however long it took.
    await until(() => all.length > 0, 'a report comes');
    assert.ok(all.at(-1) === 9999, `${all}`);
    assert.ok(all.length <= 3, `${all.length} reports`);
    gate.open();
    const answer = await inTime(run.then((value) => [value, all.at(-1)]), 'the answer');
    assert.deepEqual(answer, [20_000, 20_000]);
    assert.ok(isAscending(all));
  });

  test('of reports in one turn of the owner only the last comes', async () => {
    const gate = new Gate();
    const all = [];
    const run = pool.run('reports', { count: 1000, cells: gate.cells }, { progress: 'latest', onProgress: (value) => all.push(value) });
    await until(() => gate.begun === 1, 'half');
    await until(() => all.at(-1) === 499, 'that half');
    const before = all.length;
    gate.open();
    blockUntil(() => pool.stats().running === 0, 'the task has ended');
    await run;
    assert.deepEqual(all.slice(before), [1000]);
  });

  test('what only Node carries keeps its order among the others', async () => {
    for (const every of [1, 2, 3, 10]) {
      const { all, answer } = await seen('reportsBoth', { count: 60, every }, { progress: 'latest' });
      assert.equal(answer, 60);
      const numbers = all.map(({ i }) => i);
      assert.ok(isAscending(numbers), `${numbers}`);
      assert.equal(numbers.at(-1), 60);
      for (const { i, blob } of all) assert.equal(blob !== undefined, i % every === 0);
    }
  });

  test('several tasks of a worker at a time do not replace each other’s', async () => {
    await using(new WorkerPool(SCRIPT, { maxThreads: 1, concurrentTasksPerWorker: 4 }), async (own) => {
      const results = await Promise.all(
        [10, 20, 30, 40].map(async (count) => {
          const all = [];
          const answer = await own.run('reports', { count }, { progress: 'latest', onProgress: (value) => all.push(value) });
          return [answer, all.at(-1), isAscending(all)];
        }),
      );
      assert.deepEqual(results, [10, 20, 30, 40].map((count) => [count, count, true]));
    });
  });

  test('after an abort none comes, and a task that goes on reporting harms nobody', async () => {
    const stop = new AbortController();
    const all = [];
    const run = pool.run('reports', { count: 1e9, stops: true }, { progress: 'latest', signal: stop.signal, onProgress: (value) => all.push(value) });
    await until(() => all.length > 0, 'a report');
    stop.abort();
    await assert.rejects(run, { name: 'AbortError' });
    const { length } = all;
    await until(() => pool.stats().running === 0, 'it stops');
    assert.equal(all.length, length);
  });

  test('it goes with map and stream too', async () => {
    const all = [];
    const onProgress = (value) => all.push(value);
    assert.deepEqual(await pool.map('reports', [{ count: 3 }, { count: 5 }], { progress: 'latest', onProgress }), [3, 5]);
    assert.ok(all.includes(3) && all.includes(5));
    for await (const value of pool.stream('reports', [{ count: 7 }], { progress: 'latest', onProgress })) assert.equal(value, 7);
    assert.equal(all.at(-1), 7);
  });

  test('other values are refused, of native tasks too', async () => {
    await assert.rejects(pool.run('reports', { count: 1 }, { progress: 'last' }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
    await assert.rejects(pool.run('reports', { count: 1 }, { progress: true }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
    await assert.rejects(pool.run('native:noop', 1, { progress: 'last' }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  });

  test('a flood: at most one report waits, so the loop goes on', async () => {
    const stop = new AbortController();
    let reports = 0;
    const onProgress = () => reports++;
    const run = pool.run('reports', { count: 1e9, stops: true }, { progress: 'latest', signal: stop.signal, onProgress });
    let turns = 0;
    await until(() => ++turns > 20 && reports > 0, 'turns of the loop');
    // Each turn brings one; with 'all' it is thousands.
    const before = reports;
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.ok(reports - before <= 3, `${reports - before} in two turns`);
    stop.abort();
    await assert.rejects(run);
  });
});
