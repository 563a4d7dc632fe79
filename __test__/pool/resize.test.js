'use strict';

// pool.resize: more and fewer threads while the pool works, native ones and script workers.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { WorkerPool } = require('rust-workers');

const { Gate, script, using } = require('../support/pools');
const { inTime, turns, until } = require('../support/until');

const SCRIPT = script('mapping.js');

/** The gates of the script's tasks (gates.js), of which each is used once. */
const GATES = new Int32Array(new SharedArrayBuffer(4096));
let nextGate = 0;

/** The same of both kinds: how to make a pool, hold its threads, and count them. */
const KINDS = {
  'native threads': {
    make: (options) => new WorkerPool(options),
    living: (pool) => pool.stats().threads,
    quick: (pool, value, options) => pool.run('echo', value, options),
    name: 'echo',
    hold(pool) {
      const stop = new AbortController();
      const task = pool.run('sleep', 60_000, { signal: stop.signal });
      return { task: assert.rejects(task, { name: 'AbortError' }), open: () => stop.abort() };
    },
  },
  'script workers': {
    make: (options) => new WorkerPool(script('gates.js'), { ...options, workerData: GATES }),
    living: (pool) => pool.stats().workers,
    quick: (pool, value, options) => pool.run('same', value, options),
    name: 'same',
    hold(pool) {
      const number = nextGate++;
      const open = () => {
        Atomics.store(GATES, 2 * number, 1);
        Atomics.notify(GATES, 2 * number);
      };
      return { task: pool.run('hold', number), open };
    },
  },
};

for (const [kind, { make, living, quick, name, hold }] of Object.entries(KINDS)) {
  /** Holds so many threads of a pool. */
  const holdThreads = async (pool, count) => {
    const holds = Array.from({ length: count }, () => hold(pool));
    await until(() => pool.stats().running === count, `${count} tasks run`);
    return holds;
  };

  describe(kind, () => {
    test('start as tasks need them, up to maxThreads, and end down to minThreads', () =>
      using(make({ minThreads: 1, maxThreads: 3, idleTimeout: 20 }), async (pool) => {
        const holds = await holdThreads(pool, 3);
        const waiting = quick(pool, 'it waits');
        await turns(3);
        assert.deepEqual([living(pool), pool.stats().queueSize], [3, 1]);
        holds.forEach(({ open }) => open());
        assert.equal(await waiting, 'it waits');
        await Promise.all(holds.map(({ task }) => task));
        await until(() => living(pool) === 1, 'all but one end');
        assert.equal(await quick(pool, 1), 1);
        // One more may have come for it, where the last was on its way back to its event loop.
        await until(() => living(pool) === 1, 'one is kept');
      }));

    test('waiting tasks get those that the pool grows by, without another task being submitted', () =>
      using(make({ maxThreads: 1 }), async (pool) => {
        const holds = [hold(pool), hold(pool), hold(pool), hold(pool)];
        await until(() => pool.stats().running === 1, 'one runs');
        pool.resize({ maxThreads: 3 });
        await until(() => pool.stats().running === 3, 'three run');
        const { maxThreads, maxThreadsFrom, queueSize } = pool.stats();
        assert.deepEqual({ maxThreads, maxThreadsFrom, queueSize }, { maxThreads: 3, maxThreadsFrom: 'option', queueSize: 1 });
        assert.deepEqual([pool.options.minThreads, pool.options.maxThreads, living(pool)], [0, 3, 3]);
        holds.forEach(({ open }) => open());
        await Promise.all(holds.map(({ task }) => task));
      }));

    test('those that are too many finish their tasks, and the idle ones end at once', () =>
      using(make({ minThreads: 4, maxThreads: 4, idleTimeout: 3_600_000 }), async (pool) => {
        const holds = await holdThreads(pool, 4);
        holds[0].open();
        holds[1].open();
        await Promise.all([holds[0].task, holds[1].task]);
        await until(() => pool.stats().running === 2, 'two are idle');
        pool.resize({ minThreads: 0, maxThreads: 1 });
        await until(() => living(pool) === 2, 'the idle ones have ended');
        const waiting = Array.from({ length: 20 }, (_, i) => quick(pool, i));
        await turns(3);
        assert.deepEqual([pool.stats().running, pool.stats().queueSize], [2, 20], 'nobody takes them: both are busy');
        holds[2].open();
        await holds[2].task;
        holds[3].open();
        await holds[3].task;
        assert.deepEqual(await Promise.all(waiting), Array.from({ length: 20 }, (_, i) => i));
        await until(() => living(pool) === 1, 'one is left');
        assert.deepEqual([pool.options.minThreads, pool.options.maxThreads], [0, 1]);
      }));

    test('what one option says leaves the other as it is; what cannot be is refused and changes nothing', () =>
      using(make({ minThreads: 2, maxThreads: 4 }), async (pool) => {
        const size = () => [pool.options.minThreads, pool.options.maxThreads];
        pool.resize({ maxThreads: 2 });
        assert.deepEqual(size(), [2, 2]);
        pool.resize({ minThreads: 1 });
        pool.resize({});
        pool.resize({ minThreads: undefined, maxThreads: undefined });
        assert.deepEqual(size(), [1, 2]);
        const refused = [
          [{ maxThreads: 0 }, 'ERR_RW_OUT_OF_RANGE', /"options.maxThreads".*between 1 and 1024/],
          [{ maxThreads: 1025 }, 'ERR_RW_OUT_OF_RANGE', /between 1 and 1024/],
          [{ maxThreads: 1.5 }, 'ERR_RW_OUT_OF_RANGE', /Received 1.5/],
          [{ maxThreads: '3' }, 'ERR_RW_INVALID_ARG_TYPE', /Received '3'/],
          [{ minThreads: -1 }, 'ERR_RW_OUT_OF_RANGE', /"options.minThreads"/],
          [{ minThreads: 3 }, 'ERR_RW_OUT_OF_RANGE', /\(3\) must not be above "options.maxThreads" \(2, as it is; give both to change both\)/],
          [{ minThreads: 4, maxThreads: 3 }, 'ERR_RW_OUT_OF_RANGE', /\(4\) must not be above "options.maxThreads" \(3\)/],
          [{ maxThread: 3 }, 'ERR_RW_INVALID_ARG_VALUE', /unknown option 'maxThread'.*did you mean 'maxThreads'/],
          [{ name: 'other' }, 'ERR_RW_INVALID_ARG_VALUE', /unknown option 'name'/],
          [undefined, 'ERR_RW_INVALID_ARG_TYPE', /"options"/],
          [3, 'ERR_RW_INVALID_ARG_TYPE', /"options"/],
        ];
        for (const [options, code, message] of refused) assert.throws(() => pool.resize(options), { code, message });
        const own = new Error('a getter');
        assert.throws(() => pool.resize({ get maxThreads() { throw own; } }), (error) => error === own);
        assert.deepEqual(size(), [1, 2]);
        assert.equal(await quick(pool, 5), 5);
      }));

    test('the limit of the queue follows the size, and a resize tells those that wait for room', () =>
      using(make({ maxThreads: 1, maxQueue: 1 }), async (pool) => {
        const holds = await holdThreads(pool, 1);
        const waits = hold(pool);
        await assert.rejects(quick(pool, 1), { code: 'ERR_RW_QUEUE_FULL' });
        assert.equal(pool.needsDrain, true);
        const drained = new Promise((resolve) => pool.once('drain', resolve));
        pool.resize({ maxThreads: 2 });
        await inTime(drained, "'drain' comes though no task has ended");
        await until(() => pool.stats().running === 2, 'the other runs');
        const third = quick(pool, 3);
        await assert.rejects(quick(pool, 4), { code: 'ERR_RW_QUEUE_FULL' });
        pool.resize({ maxThreads: 1 });
        await assert.rejects(quick(pool, 5), { code: 'ERR_RW_QUEUE_FULL' });
        [...holds, waits].forEach(({ open }) => open());
        assert.equal(await third, 3);
        await Promise.all([...holds, waits].map(({ task }) => task));
      }));

    test('a map that is under way takes as many inputs as there are threads now', () =>
      using(make({ maxThreads: 1, maxQueue: 0 }), async (pool) => {
        let asked = 0;
        const source = async function* () {
          for (let i = 0; i < 30; i++) {
            asked++;
            yield i;
          }
        };
        const blocker = hold(pool);
        await until(() => pool.stats().running === 1, 'it is busy');
        const map = pool.map(name, source());
        await turns(5);
        assert.equal(asked, 1, 'one waits for the thread');
        pool.resize({ maxThreads: 2 });
        assert.deepEqual(await map, Array.from({ length: 30 }, (_, i) => i));
        blocker.open();
        await blocker.task;
      }));

    test('all the time, and nothing is lost', () =>
      using(make({ maxThreads: 2, idleTimeout: 0 }), async (pool) => {
        const tasks = [];
        for (let i = 0; i < 150; i++) {
          tasks.push(quick(pool, i), quick(pool, -i, { priority: i % 3 }));
          const maxThreads = 1 + ((i * 7) % 3);
          pool.resize({ maxThreads, minThreads: i % (maxThreads + 1) });
          if (i % 10 === 0) await tasks[i];
        }
        assert.deepEqual(await Promise.all(tasks), Array.from({ length: 150 }, (_, i) => [i, -i]).flat());
        pool.resize({ maxThreads: 2, minThreads: 0 });
        await until(() => living(pool) === 0, 'all end that are not kept');
        const { submitted, completed } = pool.stats();
        assert.deepEqual([submitted, completed], [300, 300]);
      }));

    test('utilization is of the threads that there were', async () => {
      const pool = make({ maxThreads: 1 });
      const holds = await holdThreads(pool, 1);
      const made = performance.now();
      await until(() => performance.now() > made + 100, 'it has had some time');
      pool.resize({ maxThreads: 1000 });
      // The thousand have had next to no time: they do not make the first look idle.
      const { utilization } = pool.stats();
      if (kind === 'native threads') assert.ok(utilization > 0.01, `${utilization}`);
      pool.resize({ maxThreads: 1 });
      holds[0].open();
      await holds[0].task;
      await pool.close();
      const last = pool.stats().utilization;
      assert.ok(last > 0 && last <= 1);
      await turns(5);
      assert.equal(pool.stats().utilization, last, 'it ends with the pool');
    });

    test('a pool that is closing, or closed, cannot be resized', async () => {
      const pool = make({ maxThreads: 1 });
      const holds = await holdThreads(pool, 1);
      const closed = pool.close();
      assert.throws(() => pool.resize({ maxThreads: 2 }), { code: 'ERR_RW_POOL_CLOSED', message: /cannot be resized/ });
      holds[0].open();
      await holds[0].task;
      await closed;
      assert.throws(() => pool.resize({ maxThreads: 2 }), { code: 'ERR_RW_POOL_CLOSED' });
      assert.throws(() => pool.resize({ maxThreads: 0 }), { code: 'ERR_RW_OUT_OF_RANGE' });
      assert.equal(pool.options.maxThreads, 1);
    });
  });
}

test('a pool that was made with a number of workers keeps as many, until minThreads says otherwise', () =>
  using(new WorkerPool(SCRIPT, 1), async (pool) => {
    assert.equal(pool.stats().workers, 1);
    pool.resize({ maxThreads: 3 });
    assert.equal(pool.stats().workers, 3, 'at once');
    assert.deepEqual(await Promise.all([1, 2, 3].map((n) => pool.run('same', n))), [1, 2, 3]);
    pool.resize({ maxThreads: 2 });
    await until(() => pool.stats().workers === 2, 'one has ended');
    pool.resize({ minThreads: 1, maxThreads: 4 });
    assert.equal(pool.stats().workers, 2, 'no more is kept than that');
  }));

test('workers that are kept are started at once when more are kept', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 3 }), async (pool) => {
    assert.equal(pool.stats().workers, 0);
    pool.resize({ minThreads: 2 });
    assert.equal(pool.stats().workers, 2);
    await until(() => pool.stats().idleWorkers === 2, 'both have loaded the script');
    assert.equal(pool.stats().threads, 0, 'native threads start with the first task');
  }));

test('a worker that is too many runs the tasks first whose input is with it', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 2 }), async (pool) => {
    const gates = [new Gate(), new Gate()];
    const held = gates.map((gate) => pool.run('held', gate.cells));
    await until(() => gates.every((gate) => gate.begun === 1), 'both are held');
    // Only Node's port can carry them, so each is bound to a worker.
    const bound = Array.from({ length: 6 }, (_, i) => pool.run('same', new Int32Array(new SharedArrayBuffer(8)).fill(i)));
    pool.resize({ maxThreads: 1 });
    gates.forEach((gate) => gate.open());
    await Promise.all(held);
    assert.deepEqual((await Promise.all(bound)).map((cells) => cells[0]), [0, 1, 2, 3, 4, 5]);
    await until(() => pool.stats().workers === 1, 'one is left');
    assert.equal(pool.stats().completed, 8);
  }));

test('a worker that waits in place hears of it too', () =>
  using(new WorkerPool(SCRIPT, { minThreads: 3, maxThreads: 3, wait: 'block', idleTimeout: 3_600_000 }), async (pool) => {
    await until(() => pool.stats().idleWorkers === 3, 'all wait');
    pool.resize({ minThreads: 0, maxThreads: 1 });
    await until(() => pool.stats().workers === 1, 'one is left');
    assert.equal(await pool.run('same', 7), 7);
  }));

test('it can be called from the events that tasks and workers cause', () =>
  using(new WorkerPool(SCRIPT, { maxThreads: 1, maxQueue: 0 }), async (pool) => {
    const grow = (maxThreads) => pool.closed || pool.resize({ maxThreads: Math.max(maxThreads, pool.options.maxThreads) });
    pool.on('workerCreate', () => grow(2));
    pool.on('workerDestroy', () => grow(2));
    pool.on('needsDrain', () => grow(3));
    const gates = [new Gate(), new Gate()];
    const held = [pool.run('held', gates[0].cells)];
    await until(() => pool.options.maxThreads > 1 && gates[0].begun === 1, 'a worker was made');
    held.push(pool.run('held', gates[1].cells));
    await until(() => gates.every((gate) => gate.begun === 1), 'both are held');
    await until(() => pool.options.maxThreads === 3, 'the queue was full once');
    const reported = pool.run('report', 1, { onProgress: () => grow(3) });
    assert.equal(await reported, 1);
    gates.forEach((gate) => gate.open());
    await Promise.all(held);
  }));
