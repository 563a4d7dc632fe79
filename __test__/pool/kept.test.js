'use strict';

// A pool that nobody has any more but a listener: kept while what the listener waits for comes by itself, and else forgotten.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');
const { script } = require('../support/pools');

const SCRIPT = script('functions.js');
const GC = { execArgv: ['--expose-gc'] };

/**
 * In each program garbage is collected all the time, and something else keeps the event loop alive. `waits(make)` waits for an event of
 * a pool that only its listener has; `isForgotten(make)` says whether the pool is collected while something is there that listens to it.
 */
const tools = `
  const { once } = require('node:events');
  const { WorkerPool } = load();
  const timer = setInterval(gc, 3);
  const late = setTimeout(() => { console.log('never'); process.exit(); }, 20_000);
  const end = () => { clearInterval(timer); clearTimeout(late); };
  const waits = async (name, wait) => { await wait(); console.log(name); };
  const isForgotten = async (name, make) => {
    let gone = false;
    const registry = new FinalizationRegistry(() => { gone = true; });
    await (async () => registry.register(await make()))();
    while (!gone) await new Promise((resolve) => setTimeout(resolve, 5));
    console.log(name, 'was forgotten');
    return registry;
  };
`;

onEachNode('a pool that only its listener has', (run) => {
  const inProgram = async (body, ...lines) => {
    const program = `async ({ load }, script) => { ${tools} await (${body})({ WorkerPool, once, waits, isForgotten, script }); end(); }`;
    assert.deepEqual(await run(program, { ...GC, args: [SCRIPT] }), quietly(...lines));
  };

  test('the end of an idle worker: with a task before, with none after, with a listener that came late', () =>
    inProgram(
      async ({ WorkerPool, once, waits, script }) => {
        const make = () => new WorkerPool(script, { minThreads: 0, maxThreads: 2, idleTimeout: 150 });
        await waits('after a task', async () => {
          const pool = make();
          await pool.runTask(1);
          await once(pool, 'workerDestroy');
        });
        await waits('with a task', () => {
          const pool = make();
          pool.runTask(1);
          return once(pool, 'workerDestroy');
        });
        await waits('both workers', async () => {
          const pool = make();
          await Promise.all([pool.runTask(1), pool.runTask(2)]);
          let left = pool.workers.length;
          await new Promise((resolve) => pool.on('workerDestroy', () => --left === 0 && resolve()));
        });
        await waits('fewer are kept', async () => {
          const pool = new WorkerPool(script, { minThreads: 1, maxThreads: 1, idleTimeout: 100 });
          await pool.runTask(1);
          pool.resize({ minThreads: 0 });
          await once(pool, 'workerDestroy');
        });
        await waits('functions', async () => {
          const pool = new WorkerPool({ maxThreads: 1, idleTimeout: 100 });
          await pool.exec((n) => n + 1, [1]);
          await once(pool, 'workerDestroy');
        });
      },
      'after a task', 'with a task', 'both workers', 'fewer are kept', 'functions',
    ));

  test('the end of a worker that is replaced, terminated, or told to end', () =>
    inProgram(
      async ({ WorkerPool, once, waits, script }) => {
        await waits('recycle', async () => {
          const pool = new WorkerPool(script, { minThreads: 1, maxThreads: 1, recycle: { afterTasks: 1 } });
          await pool.runTask(1);
          await once(pool, 'workerDestroy');
        });
        await waits('pool.recycle()', async () => {
          const pool = new WorkerPool(script, 1);
          await pool.ready;
          pool.recycle();
          await once(pool, 'workerDestroy');
        });
        await waits('killTimeout', async () => {
          const pool = new WorkerPool(script, { minThreads: 1, maxThreads: 1, killTimeout: 50 });
          await pool.ready;
          await pool.run('spinForever', undefined, { runTimeout: 20 }).catch(() => {});
          await once(pool, 'workerDestroy');
        });
        await waits('terminate()', async () => {
          const pool = new WorkerPool(script, { minThreads: 1, maxThreads: 1 });
          const [worker] = await once(pool, 'workerCreate');
          await pool.ready;
          pool.run('spinForever').catch(() => {});
          setTimeout(() => worker.terminate(), 200);
          await once(pool, 'workerDestroy');
        });
      },
      'recycle', 'pool.recycle()', 'killTimeout', 'terminate()',
    ));

  test("'drain' and what workers tell while tasks are under way", () =>
    inProgram(
      async ({ WorkerPool, once, waits, script }) => {
        await waits('drain', () => {
          const pool = new WorkerPool({ maxThreads: 1 });
          const drained = once(pool, 'drain');
          for (let i = 0; i < 20; i++) pool.run('sleep', 10);
          return drained;
        });
        await waits('drain, later', () => {
          const pool = new WorkerPool({ maxThreads: 1 });
          for (let i = 0; i < 20; i++) pool.run('sleep', 10);
          return once(pool, 'drain');
        });
        await waits('drain with maxQueue', () => {
          const pool = new WorkerPool({ maxThreads: 1, maxQueue: 2 });
          for (let i = 0; i < 20; i++) pool.run('sleep', 30).catch(() => {});
          return once(pool, 'drain');
        });
        await waits('drain of a script', () => {
          const pool = new WorkerPool(script, { maxThreads: 1 });
          for (let i = 0; i < 20; i++) pool.run('spin', 10);
          return once(pool, 'drain');
        });
        await waits('drain of a named pool', () => {
          const pool = WorkerPool.open('kept', { maxThreads: 1 });
          for (let i = 0; i < 20; i++) pool.run('sleep', 10);
          return once(pool, 'drain');
        });
        await waits('close', () => {
          const pool = new WorkerPool(script, 1);
          pool.close();
          return once(pool, 'close');
        });
      },
      'drain', 'drain, later', 'drain with maxQueue', 'drain of a script', 'drain of a named pool', 'close',
    ));

  test('is forgotten where nothing comes, once it has come, and once nobody listens', () =>
    inProgram(
      async ({ WorkerPool, once, isForgotten, script }) => {
        const all = ['drain', 'workerCreate', 'workerDestroy', 'message', 'messageerror', 'error', 'close'];
        const kept = { minThreads: 1, maxThreads: 1, idleTimeout: 50 };
        const surplus = { minThreads: 0, maxThreads: 1, idleTimeout: 60_000 };
        const ready = async (options) => {
          const pool = new WorkerPool(script, options);
          await pool.runTask(1);
          return pool;
        };
        await isForgotten('with workers that are kept', async () => {
          const pool = await ready(kept);
          for (const event of all) pool.on(event, () => pool);
          await pool.runTask(1);
          return pool;
        });
        await isForgotten('with workers that never end', async () => {
          const pool = await ready({ minThreads: 0, maxThreads: 1, idleTimeout: Infinity });
          return pool.on('workerDestroy', () => pool);
        });
        await isForgotten('without a script', async () => {
          const pool = new WorkerPool({ maxThreads: 1 });
          for (const event of all) pool.on(event, () => pool);
          await Promise.all(Array.from({ length: 20 }, () => pool.run('echo', 1)));
          return pool;
        });
        await isForgotten('after the event', async () => {
          const pool = await ready({ ...surplus, idleTimeout: 50 });
          pool.on('workerDestroy', () => pool);
          return pool;
        });
        for (const way of ['off', 'removeListener', 'removeAllListeners', 'removeAllListeners of all', 'once']) {
          await isForgotten(way, async () => {
            const pool = await ready(surplus);
            const listener = () => pool;
            if (way === 'once') pool.once('workerDestroy', listener).emit('workerDestroy');
            else pool.on('workerDestroy', listener);
            if (way === 'removeAllListeners') pool.removeAllListeners('workerDestroy');
            else if (way === 'removeAllListeners of all') pool.removeAllListeners();
            else if (way !== 'once') pool[way]('workerDestroy', listener);
            return pool;
          });
        }
      },
      ...['with workers that are kept', 'with workers that never end', 'without a script', 'after the event', 'off', 'removeListener',
        'removeAllListeners', 'removeAllListeners of all', 'once'].map((name) => `${name} was forgotten`),
    ));

  test('does not hold the process', async () => {
    const program = async ({ load }, file) => {
      const { WorkerPool } = load();
      const { once } = require('node:events');
      const pool = new WorkerPool(file, { minThreads: 0, maxThreads: 1, idleTimeout: 60_000 });
      await pool.runTask(1);
      once(pool, 'workerDestroy').then(() => console.log('ended'));
      console.log('done');
    };
    assert.deepEqual(await run(program, { ...GC, args: [SCRIPT] }), quietly('done'));
  });
});
