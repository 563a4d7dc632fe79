'use strict';

// Tasks that a running task submits get its deadline and its priority; and what holds of the caller's async context.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { test } = require('node:test');

const { WorkerPool, task } = require('rust-workers');
const { script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));
const errorOf = (promise) => promise.then((value) => assert.fail(`it gave ${value}`), (error) => error);

/** One task at a time on a worker, or several. */
const POOLS = {
  'one at a time': () => new WorkerPool(script('inherits.js'), { maxThreads: 1, killTimeout: 5_000 }),
  'several at a time': () => new WorkerPool(script('inherits.js'), { maxThreads: 1, concurrentTasksPerWorker: 8, killTimeout: Infinity }),
};

for (const [kind, open] of Object.entries(POOLS)) {
  test(`${kind}: task.deadline is the task’s`, () => using(open(), async (pool) => {
    assert.equal(task.deadline, undefined);
    assert.equal(await pool.run('left'), undefined);
    assert.equal(await pool.run('left', undefined, { timeout: 60_000, priority: 5 }), undefined);
    const near = (value, milliseconds) => assert.ok(Math.abs(value - milliseconds) < 20_000, `${value}, not ${milliseconds}`);
    near(await pool.run('left', undefined, { deadline: 600_000 }), 600_000);
    near(await pool.run('left', undefined, { deadline: new Date(Date.now() + 300_000), timeout: 100_000 }), 300_000);
    near(await pool.scope({ deadline: 900_000 }, (scope) => scope.run('left')), 900_000);
    near(await pool.run('leftWithin', undefined, { deadline: 600_000 }), 600_000);
    // Inputs that only Node's port carries reach a free worker first, whatever their priority.
    near(await pool.run('left', new Blob(['']), { deadline: 600_000 }), 600_000);
    assert.equal(await pool.run('leftWithin'), undefined);
  }));

  test(`${kind}: what a task submits ends with its deadline, in whichever way it is submitted`, () => using(open(), async (pool) => {
    await pool.run('left');
    for (const way of ['run', 'text', 'map', 'slowMap', 'stream', 'scope', 'script', 'later']) {
      for (const options of [undefined, { timeout: 1_000_000 }, { deadline: 1_000_000 }]) {
        const cells = cellsOf();
        const error = await errorOf(pool.run('within', [cells, way, options], { deadline: 120 }));
        assert.equal(error.code, 'ERR_RW_DEADLINE', way);
        // Where it had no time to begin, nothing is within.
        if (error.started) await until(() => cells[1] !== 0, `${way}: what is within has ended`);
        if (error.started) assert.equal(cells[1], 1, `${way} with ${JSON.stringify(options)}`);
      }
    }
    // An earlier one of its own counts.
    assert.equal(await pool.run('within', [cellsOf(), 'run', { deadline: 20 }], { deadline: 600_000 }), 'ERR_RW_DEADLINE');
    assert.equal(await pool.run('within', [cellsOf(), 'scope', { deadline: 20 }]), 'ERR_RW_DEADLINE');
  }));

  test(`${kind}: priorities`, () => using(open(), async (pool) => {
    assert.equal(await pool.run('order'), 'three,none,some,scope,low');
    assert.equal(await pool.run('order', undefined, { priority: 5 }), 'none,some,scope,three,low');
    assert.equal(await pool.run('order', undefined, { priority: -5 }), 'three,low,none,some,scope');
    assert.equal(await pool.run('deeper', undefined, { priority: 5 }), 'none,some,scope,three,low');
    assert.equal(await pool.run('order', new Blob(['']), { priority: 1 }), 'three,none,some,scope,low');
  }));
}

test('several at a time: each has its own', () => using(POOLS['several at a time'](), async (pool) => {
  await pool.run('left');
  const cells = [cellsOf(), cellsOf(), cellsOf()];
  const runs = [
    errorOf(pool.run('within', [cells[0], 'slowMap'], { deadline: 150 })), pool.run('within', [cells[1], 'later', { timeout: 400 }]),
    errorOf(pool.run('within', [cells[2], 'later'], { deadline: 250 })),
  ];
  const [first, second, third] = await Promise.all(runs);
  assert.deepEqual([first.code, second, third.code], ['ERR_RW_DEADLINE', 'ERR_RW_TASK_TIMEOUT', 'ERR_RW_DEADLINE']);
  await until(() => cells.every((cell) => cell[1] !== 0), 'all have ended');
  assert.deepEqual(cells.map((cell) => cell[1]), [1, 2, 1]);
}));

test('the caller’s async context: continuations, onProgress, errors, signals, streams, scopes, held tasks', async () => {
  const storage = new AsyncLocalStorage();
  const seen = [];
  const note = (name) => seen.push(`${name}: ${storage.getStore()}`);
  const pools = [new WorkerPool({ maxThreads: 1 }), new WorkerPool(script('structure.js'), 1)];
  for (const [index, pool] of pools.entries()) {
    const same = index === 0 ? 'echo' : 'same';
    const within = (name, body) => storage.run(name, body);
    await inTime(Promise.all([
      within('run', () => pool.run(same, 1).then(() => note('run'))),
      within('held', () => pool.run('echo', 1).then(() => note('held'), () => note('held'))),
      within('options', () => pool.run(same, { a: 1 }, { timeout: 60_000 }).then(() => note('options'))),
      within('error', () => pool.run(same, () => {}).catch(() => note('error'))),
      within('late', () => pool.run('native:sleep', 60_000, { timeout: 5 }).catch(() => note('late'))),
      within('deadline', () => pool.run('native:sleep', 60_000, { deadline: 5 }).catch(() => note('deadline'))),
      within('abort', () => pool.run('native:sleep', 60_000, { signal: AbortSignal.timeout(5) }).catch(() => note('abort'))),
      within('map', () => pool.map(same, [1, 2]).then(() => note('map'))),
      within('source', () => pool.map(same, (async function* () { note('source'); yield 1; await turns(2); note('source'); })()).then(() => note('source'))),
      within('scope', () => pool.scope(async (scope) => {
        await scope.run(same, 1);
        note('scope');
        scope.signal.addEventListener('abort', () => note('scope'));
        scope.cancel();
      }).then(() => note('scope'))),
      within('stream', async () => {
        for await (const _ of pool.stream(same, [1, 2])) note('stream');
      }),
    ]), 'all have ended');
  }
  const reporting = new WorkerPool(script('reporting.js'), 1);
  await storage.run('progress', () => reporting.run('report', 1, { onProgress: () => note('progress') }).then(() => note('progress')));
  await Promise.all([...pools, reporting].map((pool) => pool.close()));
  for (const line of seen) assert.match(line, /^(\w+): \1$/);
  assert.deepEqual([...new Set(seen.map((line) => line.split(':')[0]))].sort(), ['abort', 'deadline', 'error', 'held', 'late', 'map', 'options', 'progress', 'run', 'scope', 'source', 'stream']);
});
