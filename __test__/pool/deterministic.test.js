'use strict';

// new WorkerPool({ deterministic: seed }): the same seed gives the same order, on native and script tasks.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');

const { quietly, runProgram } = require('../support/child');
const { Gate, script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const SCRIPT = script('mapping.js');

const KINDS = {
  native: { make: (options) => new WorkerPool(options), name: 'echo' },
  script: { make: (options) => new WorkerPool(SCRIPT, options), name: 'same' },
};

/** A program with loops beside each other, whose next task depends on the last answer: in which order its tasks are answered. */
async function orderOf(pool, name) {
  const order = [];
  const loop = async (number) => {
    for (let i = 0; i < 3; i++) {
      const value = await pool.run(name, number * 10 + i, { priority: number % 2 });
      order.push(value);
      if (value % 3 === 0) order.push(...(await Promise.all([pool.run(name, value + 100), pool.run(name, value + 200)])));
    }
  };
  await Promise.all([1, 2, 3, 4, 5].map(loop));
  return order.join();
}

/** The order in which tasks that were submitted at once are answered. */
async function burst(pool, name, inputs, optionsOf = () => undefined) {
  const order = [];
  await Promise.all(inputs.map(async (input) => order.push(await pool.run(name, input, optionsOf(input)))));
  return order;
}

const range = (count) => Array.from({ length: count }, (_, i) => i);

for (const [kind, { make, name }] of Object.entries(KINDS)) {
  describe(`${kind} tasks`, () => {
    test('the same seed gives the same order, 100 times', async () => {
      let first;
      // A pool for each time; where a worker has to start, for each tenth, and its seed is used up further.
      const pools = kind === 'native' ? 100 : 10;
      for (let i = 0; i < pools; i++) {
        await using(make({ deterministic: 7, maxThreads: 4 }), async (pool) => {
          const orders = [];
          for (let round = 0; round < 100 / pools; round++) orders.push(await orderOf(pool, name));
          first ??= orders;
          assert.deepEqual(orders, first);
        });
      }
    });

    test('different seeds give different orders', async () => {
      const orders = new Set();
      for (let seed = 0; seed < 10; seed++) {
        await using(make({ deterministic: seed, maxThreads: 3 }), async (pool) => orders.add(await orderOf(pool, name)));
      }
      assert.ok(orders.size >= 9, `${orders.size} of 10`);
    });

    test('the next is one of the first maxThreads that wait', async () => {
      for (const maxThreads of [1, 2, 5]) {
        const places = new Set();
        for (let seed = 0; seed < 12; seed++) {
          const order = await using(make({ deterministic: seed, maxThreads }), (pool) => burst(pool, name, range(10)));
          const waiting = range(10);
          for (const value of order) {
            places.add(waiting.indexOf(value));
            waiting.splice(waiting.indexOf(value), 1);
          }
        }
        assert.deepEqual([...places].sort(), range(maxThreads), `of ${maxThreads}`);
      }
    });

    test('with one thread the order is that of the queue: priorities, then submission, or the reverse', async () => {
      const priority = (input) => ({ priority: input % 3 });
      const fifo = await using(make({ deterministic: 5, maxThreads: 1 }), (pool) => burst(pool, name, range(7), priority));
      assert.deepEqual(fifo, [2, 5, 1, 4, 0, 3, 6]);
      const lifo = make({ deterministic: 5, maxThreads: 1, queueOrder: 'lifo' });
      assert.deepEqual(await using(lifo, (pool) => burst(pool, name, range(7), priority)), [5, 2, 4, 1, 6, 3, 0]);
    });

    test('one runs at a time, and the queue counts as in another pool of that size', () =>
      using(make({ deterministic: 1, maxThreads: 2, maxQueue: 1 }), async (pool) => {
        const runs = range(3).map((i) => pool.run(name, i));
        await assert.rejects(pool.run(name, 3), { code: 'ERR_RW_QUEUE_FULL' });
        assert.equal(pool.stats().queueSize, 3, 'none begins in this turn');
        const seen = [];
        runs.forEach((run) => run.then(() => seen.push(pool.stats().running + pool.stats().queueSize)));
        await Promise.all(runs);
        assert.deepEqual(seen, [2, 1, 0]);
      }));

    test('tasks that wait can be aborted, time out, and are taken out by cancelQueued', () =>
      using(make({ deterministic: 3, maxThreads: 4 }), async (pool) => {
        const stop = new AbortController();
        const aborted = range(5).map((i) => pool.run(name, i, { signal: stop.signal }));
        const late = pool.run(name, 'late', { timeout: 0 });
        const kept = pool.run(name, 'kept');
        stop.abort();
        for (const run of aborted) await assert.rejects(run, { name: 'AbortError' });
        await assert.rejects(late, { code: 'ERR_RW_TASK_TIMEOUT' });
        assert.equal(await kept, 'kept');
        const queued = range(5).map((i) => pool.run(name, i));
        const all = Promise.allSettled(queued);
        assert.equal(pool.cancelQueued(), 5);
        for (const { reason } of await all) assert.equal(reason.code, 'ERR_RW_TASK_CANCELLED');
        assert.equal(pool.stats().queueSize, 0);
        assert.equal(await pool.run(name, 'after'), 'after');
      }));

    test('close finishes what waits, and destroy rejects it', async () => {
      const closes = make({ deterministic: 3, maxThreads: 2 });
      const runs = range(20).map((i) => closes.run(name, i));
      await inTime(closes.close(), 'it closes');
      assert.deepEqual(await Promise.all(runs), range(20));
      const destroyed = make({ deterministic: 3, maxThreads: 2 });
      const dropped = Promise.allSettled(range(20).map((i) => destroyed.run(name, i)));
      await inTime(destroyed.destroy(), 'it is destroyed');
      for (const { reason } of await dropped) assert.equal(reason.code, 'ERR_RW_POOL_CLOSED');
    });

    test('maps, of arrays and async sources, take their turns too', async () => {
      const program = async (pool) => {
        const order = [];
        const done = (what) => (value) => order.push(`${what}:${value}`);
        const source = async function* () { yield* range(6); };
        await Promise.all([
          pool.map(name, range(6)).then(done('array')),
          pool.map(name, source()).then(done('source')),
          ...range(6).map((i) => pool.run(name, i).then(done('run'))),
        ]);
        return order.join(' ');
      };
      const orders = [];
      for (const seed of [1, 1, 1, 2, 3, 4]) orders.push(await using(make({ deterministic: seed, maxThreads: 3 }), program));
      assert.match(orders[0], /array:0,1,2,3,4,5/);
      assert.match(orders[0], /source:0,1,2,3,4,5/);
      assert.deepEqual(orders.slice(0, 3), [orders[0], orders[0], orders[0]]);
      assert.ok(new Set(orders).size >= 3, orders.join('\n'));
    });

    test('tasks of one key keep their order, whatever the seed', async () => {
      // Also where a thread gives its key back a moment after its task is answered.
      for (let seed = 0; seed < 24; seed++) {
        const key = (input) => (input % 2 ? { key: 'odd' } : undefined);
        const once = () => using(make({ deterministic: seed, maxThreads: 4 }), (pool) => burst(pool, name, range(12), key));
        const order = await inTime(once(), `all run with the seed ${seed}`);
        if (seed % 8 === 0) assert.deepEqual(await once(), order);
        assert.deepEqual(order.filter((value) => value % 2), [1, 3, 5, 7, 9, 11]);
        assert.equal(order.length, 12);
      }
    });

    test('runSync takes its turn among those that wait', () =>
      using(make({ deterministic: 2, maxThreads: 3 }), async (pool) => {
        const runs = range(4).map((i) => pool.run(name, i));
        assert.equal(pool.runSync(name, 'in place'), 'in place');
        assert.deepEqual(await Promise.all(runs), range(4));
      }));

    test('the size may change', () =>
      using(make({ deterministic: 2, maxThreads: 1 }), async (pool) => {
        const runs = range(4).map((i) => pool.run(name, i));
        pool.resize({ maxThreads: 4 });
        const order = await burst(pool, name, range(12).map((i) => i + 10));
        await Promise.all(runs);
        assert.notDeepEqual(order, range(12).map((i) => i + 10));
        assert.ok(pool.stats().workers <= 1 && pool.options.maxThreads === 4);
      }));
  });
}

test('native and script tasks of one pool are chosen from together', async () => {
  const orders = [];
  for (const seed of [4, 4, 4, 5, 6, 7]) {
    const pool = new WorkerPool(SCRIPT, { deterministic: seed, maxThreads: 2 });
    orders.push(
      await using(pool, async () => {
        const order = [];
        const runs = range(6).flatMap((i) => [pool.run('same', `s${i}`), pool.run('native:echo', `n${i}`)]);
        await Promise.all(runs.map(async (run) => order.push(await run)));
        return order.join();
      }),
    );
  }
  assert.deepEqual(orders.slice(0, 3), [orders[0], orders[0], orders[0]]);
  assert.ok(new Set(orders).size >= 3, orders.join('\n'));
  assert.ok(orders[0].indexOf('s') < orders[0].lastIndexOf('n') && orders[0].indexOf('n') < orders[0].lastIndexOf('s'));
});

test('script tasks whose input goes by a port of Node take their turns too, on one worker, one at a time', async () => {
  const cells = new Int32Array(new SharedArrayBuffer(8));
  const program = async (pool) => {
    const order = [];
    const runs = range(8).map((i) => pool.run('same', i % 2 ? { i, cells } : { i }));
    await Promise.all(runs.map(async (run) => order.push((await run).i)));
    assert.equal(pool.stats().workers, 1);
    return order.join();
  };
  const orders = [];
  for (const seed of [1, 1, 1, 2, 3, 4]) orders.push(await using(new WorkerPool(SCRIPT, { deterministic: seed, maxThreads: 4 }), program));
  assert.deepEqual(orders.slice(0, 3), [orders[0], orders[0], orders[0]]);
  assert.ok(new Set(orders).size >= 3, orders.join('\n'));
});

test('a worker that dies is replaced, and the others have their turn', () =>
  using(new WorkerPool(script('functions.js'), { deterministic: 1, maxThreads: 3, killTimeout: 20 }), async (pool) => {
    const first = await pool.run('thread');
    const stop = new AbortController();
    const cells = new Int32Array(new SharedArrayBuffer(8));
    const spins = assert.rejects(pool.run('spinDeaf', { cells }, { signal: stop.signal }), { name: 'AbortError' });
    await until(() => Atomics.load(cells, 1) === 1, 'it spins');
    // One of them has its input with that worker already.
    const runs = [...range(5).map(() => pool.run('thread')), pool.run('thread', { cells })];
    stop.abort();
    await spins;
    for (const thread of await inTime(Promise.all(runs), 'they run')) assert.notEqual(thread, first);
  }));

test('a held task holds the others, and nothing else: the event loop goes on', () =>
  using(new WorkerPool(SCRIPT, { deterministic: 1, maxThreads: 3 }), async (pool) => {
    const gate = new Gate();
    const held = pool.run('held', gate.cells);
    await until(() => gate.begun === 1, 'it is held');
    const other = pool.run('same', 1);
    await turns(5);
    assert.deepEqual([pool.stats().running, pool.stats().queueSize], [1, 1]);
    gate.open();
    await held;
    assert.equal(await other, 1);
  }));

test('it keeps the process alive no longer than its tasks', async () => {
  const program = async ({ load, say }) => {
    const { WorkerPool } = load();
    const pool = new WorkerPool({ deterministic: 1 });
    say(await pool.run('echo', 'done'));
    new WorkerPool({ deterministic: 1 }).unref().run('sleep', 60_000).catch(() => {});
  };
  assert.deepEqual(await runProgram(process.execPath, program), quietly('done'));
});

test('seeds that are none, and options that go by the clock, are refused', () => {
  const cases = [
    [{ deterministic: -1 }, 'ERR_RW_OUT_OF_RANGE', /"options.deterministic"/],
    [{ deterministic: 1.5 }, 'ERR_RW_OUT_OF_RANGE', /integer/],
    [{ deterministic: 2 ** 53 }, 'ERR_RW_OUT_OF_RANGE', /"options.deterministic"/],
    [{ deterministic: true }, 'ERR_RW_INVALID_ARG_TYPE', /Received true/],
    [{ deterministic: '7' }, 'ERR_RW_INVALID_ARG_TYPE', /Received '7'/],
    [{ deterministic: 1, aging: 100 }, 'ERR_RW_INVALID_ARG_VALUE', /"options.aging" goes by the clock/],
  ];
  for (const [options, code, message] of cases) {
    assert.throws(() => new WorkerPool(options), { code, message });
    assert.throws(() => new WorkerPool(SCRIPT, options), { code, message });
  }
  assert.throws(() => WorkerPool.open('deterministic', { deterministic: 1 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /of one thread/ });
  const pool = new WorkerPool({ deterministic: 0, aging: Infinity });
  assert.deepEqual([pool.options.deterministic, pool.options.aging], [0, Infinity]);
  const plain = new WorkerPool();
  assert.equal('deterministic' in plain.options, false);
  return Promise.all([pool.close(), plain.close()]);
});
