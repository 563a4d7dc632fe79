'use strict';

// Tasks that would wait for each other for ever are refused (ERR_RW_DEADLOCK), and none that could run is. Beside it: task.pool.runSync.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { script, using } = require('../support/pools');
const { REFUSED_CALLS } = require('../support/refused-calls');
const { inTime, until } = require('../support/until');

const open = (options) => new WorkerPool(script('deadlock.js'), { maxThreads: 1, killTimeout: 200, ...options });
const cellsOf = () => new Int32Array(new SharedArrayBuffer(16));
const errorOf = (promise) => inTime(promise.then((value) => assert.fail(`it gave ${value}`), (error) => error), 'it fails');
const DEADLOCK = 'ERR_RW_DEADLOCK';

async function isFree(pool) {
  await until(() => pool.stats().running === 0 && pool.queueSize === 0, 'nothing is left');
  assert.equal(await inTime(pool.run('same', 5, { key: 'k' }), 'the key is free'), 5);
}

const run = (pool, name, steps, options) => inTime(pool.run(name, steps, options), `${name} ${JSON.stringify(steps)}`);

for (const maxThreads of [1, 2, 3]) {
  const size = `${maxThreads} workers`;

  test(`${size}: a task that awaits one of its own key, directly and by others`, () => using(open({ maxThreads }), async (pool) => {
    const k = { key: 'k' };
    assert.equal(await run(pool, 'outcome', [k], k), DEADLOCK);
    assert.equal(await run(pool, 'outcome', [{}, {}, k], k), DEADLOCK);
    assert.equal(await run(pool, 'outcome', [{ key: 'j' }, k], k), DEADLOCK);
    assert.equal(await run(pool, 'outcome', [{}, { ...k, name: 'native:fibonacci', input: 5 }], k), DEADLOCK);
    assert.equal(await run(pool, 'sync', [{ ...k, name: 'native:fibonacci', input: 5 }], k), DEADLOCK);
    assert.equal(await run(pool, 'sync', [k], k), DEADLOCK);
    // Others of the key go on, and so does what has another key, or none.
    const others = Array.from({ length: 5 }, (_, i) => pool.run('same', i, k));
    assert.equal(await run(pool, 'outcome', [{ key: 'j' }, {}, { key: 'l' }], k), 'end');
    assert.equal(await run(pool, 'outcome', [{ name: 'native:fibonacci', input: 10, key: 'j' }], k), 55);
    assert.deepEqual(await Promise.all(others), [0, 1, 2, 3, 4]);
    const error = await errorOf(pool.run('chain', [k], k));
    assert.ok(error instanceof errors.DeadlockError);
    assert.match(error.message, /for ever for its key 'k'/);
    assert.equal(error.task, 'chain');
    await isFree(pool);
  }));

  test(`${size}: two that each await the key of the other`, () => using(open({ maxThreads }), async (pool) => {
    const cells = cellsOf();
    const runs = [
      pool.run('meets', [cells, 1, [{ key: 'b' }]], { key: 'a' }),
      pool.run('meets', [cells, 2, [{ key: 'a' }]], { key: 'b', priority: 1 }),
    ];
    const several = maxThreads > 1;
    if (several) await until(() => cells[0] === 2, 'both run');
    cells.fill(1, 1);
    Atomics.notify(cells, 1);
    Atomics.notify(cells, 2);
    const outcomes = await inTime(Promise.all(runs), 'both end');
    if (several) assert.ok(outcomes.includes('end') || outcomes.includes(DEADLOCK), String(outcomes));
    assert.ok(outcomes.filter((one) => one === DEADLOCK).length < 2, 'one of the two is enough');
    await isFree(pool);
  }));

  test(`${size}: a key that several may have`, () => using(open({ maxThreads, limits: { key: 2 } }), async (pool) => {
    const k = { key: 'k' };
    assert.equal(await run(pool, 'outcome', [k], k), 'end');
    assert.equal(await run(pool, 'outcome', [k, k], k), DEADLOCK);
    assert.equal(await run(pool, 'outcome', [{}, k, {}, { ...k, name: 'native:fibonacci', input: 5 }], k), DEADLOCK);
    await isFree(pool);
  }));

  test(`${size}: the limit of a name is given back by a task that waits, and by one that blocks`, () => using(open({ maxThreads, limits: { tasks: { chain: 1, outcome: 1, sync: 1, fibonacci: 1 } } }), async (pool) => {
    assert.equal(await run(pool, 'outcome', [{}, {}, { name: 'outcome' }, { name: 'native:fibonacci', input: 10 }]), 55);
    assert.equal(await run(pool, 'sync', [{ name: 'native:fibonacci', input: 10 }]), 55);
    const outcomes = await inTime(Promise.all(Array.from({ length: 6 }, () => pool.run('outcome', [{}, {}, { name: 'native:fibonacci', input: 10, key: 'k' }]))), 'all end');
    assert.deepEqual(outcomes, Array(6).fill(55));
    const nested = await run(pool, 'sync', [{}, {}]);
    assert.equal(nested, maxThreads === 3 ? 'end' : DEADLOCK);
    await isFree(pool);
  }));

  test(`${size}: runSync of a function runs on another worker, or is refused`, () => using(open({ maxThreads }), async (pool) => {
    for (let depth = 0; depth < 5; depth++) {
      assert.equal(await run(pool, 'sync', Array(depth).fill({})), depth < maxThreads ? 'end' : DEADLOCK, `${depth} deep`);
    }
    // All workers at once: none hangs, and at the least the last is refused where all block.
    const cells = cellsOf();
    const runs = Array.from({ length: maxThreads }, () => pool.run('blocks', [cells, 1, [{ name: 'same', input: 7 }]]));
    await until(() => cells[0] === maxThreads, 'all run');
    Atomics.store(cells, 1, 1);
    Atomics.notify(cells, 1);
    const outcomes = await inTime(Promise.all(runs), 'all end');
    assert.ok(outcomes.every((one) => one === 7 || one === DEADLOCK), String(outcomes));
    if (maxThreads === 1) assert.deepEqual(outcomes, [DEADLOCK]);
    // A native task needs no worker.
    const natives = await inTime(Promise.all(Array.from({ length: 6 }, () => pool.run('sync', [{ name: 'native:fibonacci', input: 20 }]))), 'all end');
    assert.deepEqual(natives, Array(6).fill(6765));
    assert.equal(await run(pool, 'sync', [{ name: 'same', input: 1, worker: 0 }], { worker: 0 }), DEADLOCK, 'on its own worker');
    await isFree(pool);
  }));

  test(`${size}: random programs settle`, { timeout: 120_000 }, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      let state = seed * 7919 + maxThreads;
      const below = (most) => (state = (state * 48_271) % 2_147_483_647) % most;
      const programOf = (depth) => ({
        together: below(2) === 1,
        steps: Array.from({ length: 1 + below(3) }, () => {
          const step = { how: ['run', 'run', 'runSync', 'scope'][below(4)], name: depth > 0 ? ['program', 'limited'][below(2)] : 'native:fibonacci', input: depth > 0 ? programOf(depth - 1) : 12 };
          if (below(3) === 0) step.key = `k${below(3)}`;
          if (below(6) === 0) step.deadline = 5 + below(50);
          if (below(8) === 0 && step.how !== 'scope') step.timeout = 5 + below(50);
          return step;
        }),
      });
      const options = { limits: { key: 1 + below(2), tasks: { limited: 1 } }, concurrentTasksPerWorker: 1 + below(2) };
      await using(open({ maxThreads, ...options }), async (pool) => {
        const runs = Array.from({ length: 6 }, () => {
          const given = below(2) === 0 ? { key: `k${below(3)}` } : {};
          if (below(4) === 0) given.deadline = 20 + below(100);
          return pool.run('program', programOf(3), given).catch(({ code }) => [code]);
        });
        const codes = (await inTime(Promise.all(runs), `the programs of seed ${seed}`)).flat();
        for (const code of codes) assert.match(code, /^ERR_RW_(DEADLOCK|DEADLINE|TASK_TIMEOUT|TASK_CANCELLED|WORKER_TERMINATED)$/);
        await until(() => pool.stats().running === 0 && pool.queueSize === 0, `nothing is left of seed ${seed}`);
        assert.equal(await inTime(pool.run('same', 5, { key: 'k1' }), 'it goes on'), 5);
      });
    }
  });
}

test('task.pool.runSync: values, errors and time limits as run has them', () => using(open({ maxThreads: 2 }), async (pool) => {
  assert.equal(await run(pool, 'throwsSync', ['native:fibonacci', 20]), 6765);
  assert.deepEqual(await run(pool, 'throwsSync', ['same', new Map([[1, [new Date(5)]]])]), new Map([[1, [new Date(5)]]]));
  const failure = await errorOf(pool.run('throwsSync', ['fails', 'mine']));
  assert.ok(failure instanceof RangeError);
  assert.deepEqual(failure.mine, [1]);
  for (const [code, given] of Object.entries(REFUSED_CALLS)) assert.equal((await errorOf(pool.run('throwsSync', given))).code, code);
  assert.equal((await errorOf(pool.run('throwsSync', ['same', 1, { signal: undefined }]))).code, 'ERR_RW_INVALID_ARG_VALUE');
  assert.equal((await errorOf(pool.run('throwsSync', ['', 1]))).code, 'ERR_RW_INVALID_ARG_VALUE');
  assert.deepEqual(await run(pool, 'quiet'), [undefined, 0, 3, [0, 1, 2]]);
  assert.deepEqual(await run(pool, 'after'), [55, 1], 'outside of a task');
  await isFree(pool);
}));

test('task.pool.runSync: what stops the task that blocks ends the wait, and the task that it waits for', () => using(open({ maxThreads: 2 }), async (pool) => {
  await run(pool, 'same', 1);
  const ways = {
    ERR_RW_TASK_CANCELLED: (stop) => [{ signal: stop.signal }, () => stop.abort()],
    ERR_RW_TASK_TIMEOUT: () => [{ timeout: 150 }, () => {}],
    ERR_RW_DEADLINE: () => [{ deadline: 150 }, () => {}],
  };
  for (const inner of [['spins'], ['native:sleep', 60_000]]) {
    for (const [code, way] of Object.entries(ways)) {
      const cells = cellsOf();
      const [options, act] = way(new AbortController());
      const [name, input = cells] = inner;
      const error = errorOf(pool.run('throwsSync', [name, input], options));
      // A time limit may be up before that.
      if (options.signal !== undefined) await until(() => pool.stats().running === 2, 'both run');
      act();
      assert.equal((await error).code, code);
      await until(() => pool.stats().running === 0, 'nothing is left');
    }
  }
  await isFree(pool);
}));

test('task.pool.runSync: a pool that is destroyed, or closed, in the middle; an owner that is blocked', async () => {
  const destroyed = open({ maxThreads: 2 });
  await destroyed.run('same', 1);
  const error = errorOf(destroyed.run('throwsSync', ['native:sleep', 60_000]));
  await until(() => destroyed.stats().running === 2, 'both run');
  const end = destroyed.destroy();
  assert.equal((await error).code, 'ERR_RW_POOL_CLOSED');
  await inTime(end, 'it is destroyed');
  const closed = open({ maxThreads: 2 });
  await closed.run('same', 1);
  const cells = cellsOf();
  const last = closed.run('blocks', [cells, 1, [{ name: 'same', input: 3 }]]);
  await until(() => cells[0] === 1, 'it runs');
  const closing = closed.close();
  Atomics.store(cells, 1, 1);
  Atomics.notify(cells, 1);
  assert.equal(await inTime(last, 'what it waits for is run'), 3);
  await inTime(closing, 'it closes');
  await using(open({ maxThreads: 2 }), async (pool) => {
    await pool.run('same', 1);
    assert.equal(pool.runSync('sync', [{}], { timeout: 20_000 }), 'end');
    assert.equal(pool.runSync('sync', [{ name: 'native:fibonacci', input: 10 }], { timeout: 20_000 }), 55);
  });
});

test('a worker that dies while another is blocked for its task', () => using(open({ maxThreads: 2 }), async (pool) => {
  for (let i = 0; i < 3; i++) assert.equal(await run(pool, 'sync', [{ name: 'dies' }], { key: 'k' }), 'ERR_RW_WORKER_EXITED');
  // The one that is blocked.
  const cells = cellsOf();
  const blocked = pool.run('sync', [{ name: 'spins', input: cells }]);
  await until(() => cells[0] === 1, 'it runs');
  const exits = new Promise((resolve) => pool.once('workerDestroy', resolve));
  await pool.destroy();
  await exits;
  // As the task tells it, or the pool.
  const end = await blocked.catch(({ code }) => code);
  assert.equal(end, 'ERR_RW_POOL_CLOSED');
}));

test('a pool that is made smaller keeps the worker that another is blocked for', () => using(open({ maxThreads: 3 }), async (pool) => {
  const cells = cellsOf();
  const runs = Array.from({ length: 3 }, () => pool.run('blocks', [cells, 1, []]));
  await until(() => cells[0] === 3, 'three workers');
  Atomics.store(cells, 1, 1);
  Atomics.notify(cells, 1);
  await Promise.all(runs);
  const deep = pool.run('sync', [{}, { name: 'spins', input: cells, timeout: 300 }]);
  await until(() => cells[0] === 4, 'all of them work');
  pool.resize({ maxThreads: 1 });
  assert.equal(await inTime(deep, 'it ends'), 'ERR_RW_TASK_TIMEOUT');
  await isFree(pool);
}));

test('what is transferred, and what only Node carries, goes to a worker that is not blocked', () => using(open({ maxThreads: 2 }), async (pool) => {
  const cells = cellsOf();
  const both = [pool.run('blocks', [cells, 1, []]), pool.run('blocks', [cells, 1, []])];
  await until(() => cells[0] === 2, 'two workers');
  Atomics.store(cells, 1, 1);
  Atomics.notify(cells, 1);
  await Promise.all(both);
  const stop = new AbortController();
  const blocked = pool.run('throwsSync', ['native:sleep', 60_000], { signal: stop.signal });
  blocked.catch(() => {});
  await until(() => pool.stats().running === 2, 'one is blocked');
  for (let i = 0; i < 20; i++) {
    assert.equal(await (await inTime(pool.run('same', new Blob(['a'])), 'by the other')).text(), 'a');
    assert.equal((await inTime(pool.run('same', new Uint8Array(8), { transfer: 'auto' }), 'by the other')).length, 8);
  }
  stop.abort();
  await isFree(pool);
}));

test('a script that answers messages keeps its worker while it waits', async () => {
  for (const [maxThreads, outcome] of [[1, DEADLOCK], [2, 'leaf']]) {
    await using(new WorkerPool(script('deadlock-messages.js'), { maxThreads }), async (pool) => {
      assert.equal(await inTime(pool.runTask('native'), 'a native task'), 55);
      assert.equal(await inTime(pool.runTask('outer'), 'another message'), outcome);
      assert.equal(await inTime(pool.runTask('leaf'), 'it goes on'), 'leaf');
    });
  }
});

test('a teardown submits nothing, so that the pool ends', async () => {
  const cells = cellsOf();
  const pool = new WorkerPool(script('deadlock-teardown.js'), { maxThreads: 1, workerData: cells });
  await pool.run('takes');
  await inTime(pool.close(), 'it closes');
  assert.deepEqual([...cells], [1, 2, 0, 0]);
});

test('a pool whose order is repeated: trees, keys and runSync', () => using(open({ maxThreads: 2, deterministic: 5 }), async (pool) => {
  const k = { key: 'k' };
  assert.equal(await run(pool, 'outcome', [{}, {}, {}]), 'end');
  assert.equal(await run(pool, 'outcome', [{}, k], k), DEADLOCK);
  assert.equal(await run(pool, 'sync', [{}]), DEADLOCK, 'it has one worker');
  await isFree(pool);
}));

test('options of tasks of task.pool: key, filename and worker; those of the owner are refused', () => using(open({ maxThreads: 2, concurrentTasksPerWorker: 4, killTimeout: Infinity }), async (pool) => {
  assert.equal(Math.max(...(await run(pool, 'keyed'))), 1);
  const [codes, sum, where, own] = await run(pool, 'options');
  assert.deepEqual(codes, Array(4).fill('ERR_RW_INVALID_ARG_VALUE'));
  assert.equal(sum, 3);
  assert.equal(where, own);
}));
