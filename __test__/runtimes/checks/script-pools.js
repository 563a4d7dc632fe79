'use strict';

const { assert, once, rejection, rw, script } = require('../support');

const { MessageChannel, Mutex, SharedBuffer, WorkerPool } = rw;

const withScript = (name, use, options = 1) => async () => {
  const pool = new WorkerPool(script(name), options);
  await use(pool);
  await pool.close();
};

/** Shared memory in workerData: the script returns its first element. */
function withNine() {
  const shared = new SharedBuffer(8);
  shared.store(0, 9);
  return shared;
}

module.exports = {
  area: 'script pools',
  checks: {
    'runTask, named and async exports': withScript('functions.cjs', async (pool) => {
      assert.deepEqual(await pool.runTask({ x: [1, 'two'] }), { got: { x: [1, 'two'] } });
      assert.equal(await pool.run('double', 21), 42);
      assert.equal(await pool.run('later', 1), 2);
    }),
    'map over several workers': withScript('functions.cjs', async (pool) => {
      const inputs = Array.from({ length: 50 }, (_, i) => i);
      assert.deepEqual(await pool.map('double', inputs), inputs.map((n) => n * 2));
      assert.deepEqual(new Set(await pool.map('worker', [1, 2, 3, 4])).size > 0, true);
    }, 2),
    'native tasks in the same pool': withScript('functions.cjs', async (pool) => {
      assert.equal(await pool.run('native:fibonacci', 10), 55);
      assert.equal(await pool.run('fibonacci', 10), 55);
      assert.equal((await rejection(pool.run('neither', 1))).code, 'ERR_RW_UNKNOWN_TASK');
    }),
    'values of every kind': withScript('functions.cjs', async (pool) => {
      const value = { d: new Date(7), m: new Map([['k', new Set([1n])]]), r: /x/gi, b: Uint8Array.of(1, 2), e: new RangeError('r'), c: null };
      value.c = value;
      const back = await pool.run('kinds', value);
      assert.equal(back.c, back);
      assert.deepEqual([back.d, back.m, back.r, back.b], [value.d, value.m, value.r, value.b]);
      assert.ok(back.e instanceof RangeError);
    }),
    'progress comes before the answer': withScript('functions.cjs', async (pool) => {
      const seen = [];
      assert.equal(await pool.run('progress', 0, { onProgress: ({ done }) => seen.push(done) }), 'all');
      assert.deepEqual(seen, [1, 2, 3]);
    }),
    'cancel in a synchronous loop': withScript('functions.cjs', async (pool) => {
      const controller = new AbortController();
      const run = pool.run('untilCancelled', 0, { signal: controller.signal });
      while (pool.stats().running === 0) await new Promise(setImmediate);
      controller.abort();
      assert.equal((await rejection(run)).code, 'ERR_RW_TASK_CANCELLED');
      assert.equal(await pool.run('double', 1), 2);
    }),
    'task.signal aborts': withScript('functions.cjs', async (pool) => {
      const controller = new AbortController();
      const run = pool.run('signalled', 0, { signal: controller.signal, onProgress: () => controller.abort() });
      assert.equal((await rejection(run)).code, 'ERR_RW_TASK_CANCELLED');
      assert.equal(await pool.run('double', 2), 4);
    }),
    'a time limit kills a worker that does not stop': withScript('functions.cjs', async (pool) => {
      const destroyed = once(pool, 'workerDestroy');
      const run = pool.run('forever', 0, { timeout: 20 });
      assert.equal((await rejection(run)).code, 'ERR_RW_TASK_TIMEOUT');
      assert.equal(await pool.run('double', 3), 6);
      // Workers do not hold the process; a pool that closes does.
      void pool.close();
      await destroyed;
    }, { maxThreads: 1, killTimeout: 20 }),
    'errors arrive whole': withScript('functions.cjs', async (pool) => {
      const error = await rejection(pool.run('fails', 0));
      assert.deepEqual([error.message, error.code, error.list], ['no', 'E_NO', [1, { two: 2 }]]);
      assert.ok(error instanceof Error && error.cause instanceof RangeError);
      assert.match(error.stack, /functions\.cjs/);
      assert.equal(await rejection(pool.run('failsWithText', 0)), 'just a text');
    }),
    'process.exit in a task': withScript('functions.cjs', async (pool) => {
      const error = await rejection(pool.run('exits', 3));
      assert.deepEqual([error.code, error.exitCode], ['ERR_RW_WORKER_EXITED', 3]);
      assert.equal(await pool.run('double', 4), 8);
    }),
    'an uncaught error in a worker': withScript('functions.cjs', async (pool) => {
      const error = await rejection(pool.run('failsLater', 0));
      assert.equal(error.message, 'outside of the task');
      assert.equal(await pool.run('double', 5), 10);
    }),
    'a script that does not load': async () => {
      const pool = new WorkerPool(script('broken.cjs'), { maxThreads: 1 });
      const error = await rejection(pool.runTask(1));
      assert.equal(error.code, 'ERR_RW_SCRIPT_LOAD');
      assert.match(error.message, /this script does not load/);
      await pool.destroy();
    },
    'move and transfer': withScript('functions.cjs', async (pool) => {
      const bytes = await pool.run('moved', 100_000);
      assert.deepEqual([bytes.length, bytes[99_999]], [100_000, 7]);
      const given = new Uint8Array(100_000).fill(9);
      assert.deepEqual(await pool.run('bytes', given, { transfer: [given.buffer] }), ['Uint8Array', 100_000, 9]);
      assert.equal(given.byteLength, 0);
      const auto = Uint8Array.of(4, 5);
      assert.deepEqual(await pool.run('bytes', auto, { transfer: 'auto' }), ['Uint8Array', 2, 4]);
      assert.equal(auto.byteLength, 0);
    }),
    'shared memory, locks and ports as input': withScript('functions.cjs', async (pool) => {
      const shared = new SharedBuffer(8);
      const mutex = new Mutex();
      await Promise.all([1, 2].map(() => pool.run('adds', { shared, mutex, times: 500 })));
      assert.equal(shared.load(0), 1000);
      const { port1, port2 } = new MessageChannel();
      const received = once(port1, 'message');
      assert.equal(await pool.run('answersOn', { port: port2 }, { transfer: [port2] }), 'sent');
      assert.deepEqual(await received, ['by the port']);
      port1.close();
    }, 2),
    'an ESM script, with workerData': withScript('module.mjs', async (pool) => {
      assert.deepEqual(await pool.runTask(1), [1, { own: 'data' }, 'boolean']);
      assert.equal(await pool.run('half', 8), 4);
    }, { maxThreads: 1, workerData: { own: 'data' } }),
    'a TypeScript script': withScript('typed.mts', async (pool) => {
      assert.equal(await pool.run('triple', 5), 15);
    }),
    'message style: on and postMessage': withScript('messages.cjs', async (pool) => {
      assert.deepEqual(await Promise.all([1, 2, 3].map((n) => pool.runTask(n))), [1, 2, 3].map((answer) => ({ answer })));
    }),
    'message style: addEventListener, later answers': withScript('event-messages.cjs', async (pool) => {
      assert.deepEqual(await pool.runTask('x'), ['x', 'x']);
    }),
    'message style: a listener that throws': withScript('messages.cjs', async (pool) => {
      assert.equal((await rejection(pool.runTask('throw'))).message, 'of the listener');
      assert.deepEqual(await pool.runTask(1), { answer: 1 });
    }),
    'concurrent tasks in one worker': withScript('functions.cjs', async (pool) => {
      assert.deepEqual(await pool.map('later', [1, 2, 3, 4, 5, 6]), [2, 3, 4, 5, 6, 7]);
    }, { maxThreads: 1, concurrentTasksPerWorker: 3 }),
    'wait: block': withScript('functions.cjs', async (pool) => {
      for (let i = 0; i < 5; i++) assert.equal(await pool.run('double', i), 2 * i);
    }, { maxThreads: 1, wait: 'block' }),
    'recycle replaces workers': withScript('functions.cjs', async (pool) => {
      const destroyed = once(pool, 'workerDestroy');
      for (let i = 0; i < 6; i++) assert.equal(await pool.run('double', i), 2 * i);
      void pool.close();
      await destroyed;
    }, { maxThreads: 1, recycle: { afterTasks: 2 } }),
    'what a script prints': withScript('functions.cjs', async (pool) => {
      assert.equal(await pool.run('prints', 'printed by the worker'), 'printed');
    }),
    'messages outside of tasks': withScript('posts.cjs', async (pool) => {
      const message = new Promise((resolve) => pool.on('message', resolve));
      assert.equal(await pool.runTask(1), 1);
      assert.equal(await message, 'outside of a task');
    }),
    'options: argv, env, workerData': withScript('options.cjs', async (pool) => {
      assert.deepEqual(await pool.runTask(0), [['one'], 'set', { shared: 9 }]);
    }, { maxThreads: 1, argv: ['one'], env: { OURS: 'set' }, workerData: { shared: withNine() } }),
    'a worker that runs out of memory': withScript('functions.cjs', async (pool) => {
      assert.equal((await rejection(pool.run('fillsMemory', 0))).code, 'ERR_RW_WORKER_OUT_OF_MEMORY');
      assert.equal(await pool.run('double', 6), 12);
    }, { maxThreads: 1, resourceLimits: { maxOldGenerationSizeMb: 40 } }),
    'an onProgress that throws costs no answer': withScript('functions.cjs', async (pool) => {
      const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
      let seen = 0;
      const onProgress = () => {
        if (++seen === 1) throw new Error('of onProgress');
      };
      assert.equal(await pool.run('progress', 0, { onProgress }), 'all');
      assert.equal((await uncaught).message, 'of onProgress');
      assert.equal(seen, 3);
    }),
    'idle workers end': withScript('functions.cjs', async (pool) => {
      // From before: a thread that comes late finds the answer and the end together.
      const destroyed = once(pool, 'workerDestroy');
      assert.equal(await pool.run('double', 6), 12);
      // It has the pool: one that nobody has any more is closed, and tells nobody.
      const hold = setInterval(() => pool.stats(), 1000);
      await destroyed;
      clearInterval(hold);
      assert.equal(await pool.run('double', 7), 14);
    }, { maxThreads: 1, idleTimeout: 20 }),
    'the async context of tasks and reports': withScript('functions.cjs', async (pool) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const seen = [];
      await storage.run('a', async () => {
        await pool.run('progress', 0, { onProgress: () => seen.push(storage.getStore()) });
        seen.push(storage.getStore());
      });
      assert.deepEqual(seen, ['a', 'a', 'a', 'a']);
    }),
    'destroy in the middle of a loop': async () => {
      const pool = new WorkerPool(script('functions.cjs'), { maxThreads: 1 });
      const run = rejection(pool.run('forever', 0));
      while (pool.stats().running === 0) await new Promise(setImmediate);
      await pool.destroy();
      assert.equal((await run).code, 'ERR_RW_POOL_CLOSED');
    },
  },
};
