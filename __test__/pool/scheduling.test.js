'use strict';

// The order in which waiting tasks run: priorities with aging, and queueOrder; for native and for script tasks.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { busyPool, holdWorker, script, using } = require('../support/pools');
const { blockUntil } = require('../support/until');

const functions = script('functions.js');

/** A task that gives its input back, in a pool of one thread that is busy until `free()`. */
const KINDS = {
  native: async (options, body) => {
    const { pool, free } = await busyPool(options);
    const run = (input, given) => pool.run('echo', input, given);
    const runLong = (given) => pool.run('sleep', 2, given);
    return using(pool, () => body({ pool, run, runLong, free }));
  },
  script: (options, body) =>
    using(new WorkerPool(functions, { maxThreads: 1, ...options }), async (pool) => {
      const { task, open } = await holdWorker(pool);
      const run = (input, given) => pool.runTask(input, given);
      const runLong = (given) => pool.run('spin', { time: 2 }, given);
      await body({ pool, run, runLong, free: open });
      await task;
    }),
};

/** Runs tasks of these priorities, which wait for a busy thread: the order in which they ran. */
async function orderOf({ run, free }, priorities) {
  const order = [];
  const runs = priorities.map((priority, n) => run(n, priority === 0 ? undefined : { priority }).then((ran) => order.push(ran)));
  free();
  await Promise.all(runs);
  return order;
}

/** Blocks until so many milliseconds have passed on the clock that counts for aging, which has finer steps. */
function pass(milliseconds) {
  const from = performance.now();
  blockUntil(() => performance.now() - from > milliseconds, 'time passes');
}

for (const [kind, withPool] of Object.entries(KINDS)) {
  test(`${kind}: a higher priority goes first, equals in order of submission`, async () => {
    for (const aging of [undefined, Infinity]) {
      await withPool({ aging }, async (held) => {
        assert.deepEqual(await orderOf(held, [0, 5, 0, -1, 5, 2 ** 31 - 1, -(2 ** 31)]), [5, 1, 4, 0, 2, 3, 6]);
      });
    }
  });

  test(`${kind}: without any worth of a level, the order is that of submission`, () =>
    withPool({ aging: 0 }, async (held) => {
      assert.deepEqual(await orderOf(held, [0, 5, 0, -1, 5, 2 ** 31 - 1, -(2 ** 31)]), [0, 1, 2, 3, 4, 5, 6]);
    }));

  test(`${kind}: a task that has waited long enough goes before a higher priority`, () =>
    withPool({ aging: 5 }, async ({ run, free }) => {
      const order = [];
      const submit = (name, priority) => run(name, { priority }).then((ran) => order.push(ran));
      const runs = [submit('old, 0', 0), submit('old, -10000', -10_000)];
      pass(10);
      // One level is worth 5 ms, which the first has waited, and the second has not waited ten thousand times.
      runs.push(submit('new, 1', 1), submit('new, 100', 100), submit('new, 0', 0));
      free();
      await Promise.all(runs);
      assert.deepEqual(order, ['new, 100', 'old, 0', 'new, 1', 'new, 0', 'old, -10000']);
    }));

  test(`${kind}: strict priorities let no older task pass`, () =>
    withPool({ aging: Infinity }, async ({ run, free }) => {
      const order = [];
      const submit = (name, priority) => run(name, { priority }).then((ran) => order.push(ran));
      const runs = [submit('old', 0)];
      pass(10);
      runs.push(submit('new', 1));
      free();
      await Promise.all(runs);
      assert.deepEqual(order, ['new', 'old']);
    }));

  test(`${kind}: under a saturating stream of a higher priority a task waits for no longer than the formula says`, () =>
    withPool({ aging: 20 }, async ({ run, runLong, free }) => {
      const LEVELS = 3;
      let done = false;
      const low = run('low').then(() => (done = true));
      const submitted = performance.now();
      /** When those of the stream were submitted that ran before. */
      const before = [];
      const stream = async () => {
        while (!done) {
          const at = performance.now();
          await runLong({ priority: LEVELS });
          if (!done) before.push(at);
        }
      };
      // Several, so that one of them always waits.
      const streams = Array.from({ length: 8 }, stream);
      free();
      await Promise.all([low, ...streams]);
      assert.ok(before.length > 0, 'the stream went first');
      // Each was submitted after its time was read here, and the low one before.
      const latest = Math.max(...before) - submitted;
      assert.ok(latest <= LEVELS * 20, `one that was submitted ${latest} ms later went first`);
    }));

  test(`${kind}: the newest task of a priority may go first`, () =>
    withPool({ queueOrder: 'lifo' }, async (held) => {
      assert.deepEqual(await orderOf(held, [0, 5, 0, -1, 5, 0]), [4, 1, 5, 2, 0, 3]);
    }));

  test(`${kind}: a task that is aborted leaves the order of the others as it is`, async () => {
    for (const [queueOrder, expected] of [['fifo', [0, 2, 5, 6]], ['lifo', [6, 5, 2, 0]]]) {
      await withPool({ queueOrder }, async ({ run, free }) => {
        const order = [];
        const stop = new AbortController();
        const runs = [];
        for (let n = 0; n < 7; n++) {
          const aborted = n === 1 || n === 3 || n === 4;
          const ran = run(n, aborted ? { signal: stop.signal } : { priority: 0 }).then((input) => order.push(input));
          runs.push(aborted ? assert.rejects(ran, { name: 'AbortError' }) : ran);
        }
        stop.abort();
        free();
        await Promise.all(runs);
        assert.deepEqual(order, expected);
      });
    }
  });
}

test('a batch makes way for what goes before it, and not for what would only have a higher priority', async () => {
  for (const [aging, expected] of [[Infinity, ['high', 'map']], [0, ['map', 'high']]]) {
    const { pool, free } = await busyPool({ aging });
    await using(pool, async () => {
      const order = [];
      const map = pool.map('sleep', Array(10).fill(2)).then(() => order.push('map'));
      const high = pool.run('sleep', 5, { priority: 1 }).then(() => order.push('high'));
      free();
      await Promise.all([map, high]);
      assert.deepEqual(order, expected);
    });
  }
});

test('options of the order are checked, and shown', async () => {
  for (const bad of ['1', null, {}, 1n]) {
    assert.throws(() => new WorkerPool({ aging: bad }), { code: 'ERR_RW_INVALID_ARG_TYPE', message: /"options\.aging"/ });
    assert.throws(() => new WorkerPool(functions, { aging: bad }), { code: 'ERR_RW_INVALID_ARG_TYPE' });
  }
  for (const bad of [-1, NaN]) assert.throws(() => new WorkerPool({ aging: bad }), { code: 'ERR_RW_OUT_OF_RANGE' });
  for (const bad of ['FIFO', 'random', 1, null]) {
    assert.throws(() => new WorkerPool({ queueOrder: bad }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /'fifo'.*'lifo'/ });
    assert.throws(() => new WorkerPool(functions, { queueOrder: bad }), { code: 'ERR_RW_INVALID_ARG_VALUE' });
  }
  const shown = [new WorkerPool(), new WorkerPool({ aging: Infinity, queueOrder: 'lifo' }), new WorkerPool(functions, { aging: 0.5 })];
  assert.deepEqual(
    shown.map(({ options: { aging, queueOrder } }) => [aging, queueOrder]),
    [[10_000, 'fifo'], [Infinity, 'lifo'], [0.5, 'fifo']],
  );
  for (const pool of shown) await pool.close();
});
