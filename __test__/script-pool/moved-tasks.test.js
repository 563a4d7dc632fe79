'use strict';

// A task whose input only Node can carry is bound to a worker when it is submitted. Where that worker is at something else while
// another one is idle, the task moves to the idle one (src/pool/moved_jobs.rs).

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { Gate, script, using } = require('../support/pools');
const { createRandom } = require('../support/random-values');
const { inTime, turns, until } = require('../support/until');

const moved = script('moved.js');

const counter = () => new Int32Array(new SharedArrayBuffer(4));

/** A pool of two workers, both held; `held` are their gates by the number of the worker. */
async function heldPool(options, held = 'held') {
  const pool = new WorkerPool(moved, { minThreads: 2, maxThreads: 2, ...options });
  await pool.ready;
  const gates = [new Gate(), new Gate()];
  const tasks = gates.map((gate, worker) => pool.run(held, gate.cells, { worker }));
  await until(() => gates.every((gate) => gate.begun === 1), 'both workers are held');
  const free = async (worker) => {
    gates[worker].open();
    await tasks[worker];
  };
  return { pool, free, openAll: () => gates.forEach((gate) => gate.open()) };
}

const WAYS = {
  'a worker that blocks': ['held', {}],
  'a worker with an async task': ['heldInTurns', {}],
  'workers that wait in place': ['held', { wait: 'block' }],
};

for (const [way, [held, options]] of Object.entries(WAYS)) {
  test(`tasks that were bound while all were busy run on the worker that is free first (beside ${way})`, async () => {
    const { pool, free, openAll } = await heldPool(options, held);
    await using(pool, async () => {
      const cells = Array.from({ length: 9 }, counter);
      const runs = cells.map((cell, i) => pool.run(...(i % 2 ? ['count', cell] : ['countIn', { cells: cell, odd: new Date(0) }])));
      await free(1);
      const workers = await inTime(Promise.all(runs), 'all ran beside the busy worker');
      assert.deepEqual(new Set(workers), new Set([1]));
      assert.deepEqual(cells.map((cell) => cell[0]), Array(9).fill(1));
      openAll();
    });
  });
}

test('tasks of a worker that is to be replaced, or that is too many, move too', async () => {
  for (const end of [(pool) => pool.recycle(0), (pool) => pool.resize({ minThreads: 1, maxThreads: 1 })]) {
    const { pool, free, openAll } = await heldPool();
    await using(pool, async () => {
      const runs = Array.from({ length: 6 }, () => pool.run('count', counter()));
      const ended = end(pool);
      // It may be the one that is to end.
      const workers = [free(0), free(1)];
      await inTime(Promise.race(workers), 'one is free');
      openAll();
      await inTime(Promise.all([...runs, ...workers]), 'all ran');
      await ended;
    });
  }
});

test('one that recycles, with a task that does not end, keeps no other', async () => {
  const { pool, free, openAll } = await heldPool();
  await using(pool, async () => {
    const runs = Array.from({ length: 6 }, () => pool.run('count', counter()));
    const ended = pool.recycle(0);
    await free(1);
    await inTime(Promise.all(runs), 'all ran while the other one is at its task');
    openAll();
    await ended;
  });
});

test('a task that waited for its key moves when it is released', async () => {
  const { pool, free, openAll } = await heldPool();
  await using(pool, async () => {
    const gate = new Gate();
    const first = pool.run('held', gate.cells, { key: 'one' });
    // Both behind what holds their workers, so the key decides.
    const runs = Array.from({ length: 4 }, () => pool.run('count', counter(), { key: 'one' }));
    await free(1);
    await until(() => gate.begun === 1, 'the first of the key runs');
    await turns(5);
    gate.open();
    await first;
    await inTime(Promise.all(runs), 'those behind it ran');
    openAll();
  });
});

test('what a worker that starts was to run goes to one that is free before', async () => {
  const pool = new WorkerPool(moved, { minThreads: 1, maxThreads: 2 });
  await pool.ready;
  await using(pool, async () => {
    const gate = new Gate();
    const held = pool.run('held', gate.cells);
    await until(() => gate.begun === 1, 'the one that is there is held');
    // A second one is started for it.
    const run = pool.run('count', counter());
    gate.open();
    await inTime(Promise.all([held, run]), 'both ran');
  });
});

test('a task with its own worker stays there, and so does one with a port', async () => {
  const { pool, free, openAll } = await heldPool();
  await using(pool, async () => {
    const runs = [pool.run('count', counter(), { worker: 0 })];
    const { port1, port2 } = new MessageChannel();
    const given = pool.run('countIn', { cells: counter(), port: port1 }, { transfer: [port1] });
    runs.push(pool.run('count', counter()), pool.run('count', counter()));
    await free(1);
    await inTime(Promise.all(runs.slice(1)), 'the others ran');
    openAll();
    assert.equal(await runs[0], 0);
    await given;
    port2.close();
  });
});

test('runSync of a task that is bound to the wrong worker', async () => {
  const { pool, free, openAll } = await heldPool();
  await using(pool, async () => {
    await free(0);
    assert.equal(pool.runSync('count', counter()), 0);
    openAll();
  });
});

for (const seed of [1, 2, 3, Date.now()]) {
  test(`each task runs once, whatever is cancelled and whoever ends (seed ${seed})`, { timeout: 120_000 }, async () => {
    const below = createRandom(seed);
    const pool = new WorkerPool(moved, {
      minThreads: 1 + below(3), maxThreads: 3, concurrentTasksPerWorker: 1 + below(2), limits: below(2) ? { tasks: { count: 1 } } : {},
    });
    const tasks = [];
    const gates = [];
    for (let step = 0; step < 300; step++) {
      const what = below(12);
      if (what < 6) {
        const cells = counter();
        const abort = new AbortController();
        const options = { signal: below(2) ? abort.signal : undefined, priority: below(3), key: below(4) ? undefined : `${below(2)}` };
        const run = below(2) ? pool.run('count', cells, options) : pool.run('countIn', { cells }, options);
        tasks.push({ cells, abort, run: run.then(() => 'ran', (error) => error.name) });
      } else if (what === 6 && gates.length < 3) {
        const gate = new Gate();
        gates.push(gate);
        tasks.push({ cells: undefined, run: pool.run(below(2) ? 'held' : 'heldInTurns', gate.cells).then(() => 'ran', (error) => error.name) });
      } else if (what === 7) gates.shift()?.open();
      else if (what === 8 && tasks.length > 0) tasks[below(tasks.length)].abort?.abort();
      else if (what === 9 && below(8) === 0) pool.recycle().catch(() => {});
      else if (what === 10 && below(4) === 0) pool.resize({ minThreads: 0, maxThreads: 1 + below(3) });
      else await turns(1);
    }
    gates.forEach((gate) => gate.open());
    const closed = pool.close();
    const outcomes = await inTime(Promise.all(tasks.map(({ run }) => run)), 'every task has settled');
    await inTime(closed, 'the pool closes');
    outcomes.forEach((outcome, i) => {
      const { cells } = tasks[i];
      if (outcome === 'ran') assert.equal(cells === undefined ? 1 : cells[0], 1);
      else assert.ok(outcome === 'AbortError' && cells !== undefined && cells[0] <= 1, outcome);
    });
  });
}
