'use strict';

const { Thread, assert, once, rw, script } = require('../support');

const { Mutex, MessageChannel, SharedBuffer, Worker, WorkerPool } = rw;

/** A check whose process ends otherwise than by itself with code 0. */
const endsWith = (end, run) => Object.assign(run, { end });

/** Native work of every kind, in a thread that is about to be ended. */
const BUSY = async ({ MessageChannel: Channel, WorkerPool: Pool, Mutex: Lock }, shared) => {
  const pool = new Pool({ maxThreads: 2 });
  for (let i = 0; i < 8; i++) void pool.run('primes', 1e10).catch(() => {});
  const { port1, port2 } = new Channel();
  port1.on('message', () => {});
  void pool.run('primes', { limit: 1e9, port: port2 }, { transfer: [port2] }).catch(() => {});
  void new Lock().lock();
  void shared.waitAsync(1, 0);
  while (pool.stats().running === 0) await new Promise(setImmediate);
  shared.store(0, 1);
  shared.notify(0);
};

module.exports = {
  area: 'ends',
  checks: {
    'an idle pool does not hold the process': async () => {
      const pool = new WorkerPool({ minThreads: 2 });
      assert.equal(await pool.run('fibonacci', 10), 55);
    },
    'an idle script pool does not hold the process': async () => {
      const pool = new WorkerPool(script('functions.cjs'), 2);
      assert.equal(await pool.run('double', 1), 2);
    },
    'work holds the process': async () => {
      const pool = new WorkerPool();
      void pool.run('sleep', 60).then(() => process.stdout.write('slept\n'));
      process.once('exit', () => process.stdout.write('exit\n'));
      return 'not done';
    },
    'a pool that was unreferenced does not hold the process': async () => {
      const pool = new WorkerPool({ maxThreads: 1 });
      pool.unref();
      void pool.run('primes', 1e10).catch(() => {});
    },
    'process.exit in the middle of native work': endsWith({ code: 5 }, async () => {
      await BUSY(rw, new SharedBuffer(8));
      process.exit(5);
    }),
    'process.exit in the middle of script work': endsWith({ code: 6 }, async () => {
      const pool = new WorkerPool(script('functions.cjs'), 2);
      void pool.run('forever', 0).catch(() => {});
      void pool.run('later', 1).catch(() => {});
      while (pool.stats().running === 0) await new Promise(setImmediate);
      process.exit(6);
    }),
    'an uncaught error in the middle of native work': endsWith({ code: 1, stderr: /uncaught on purpose/ }, async () => {
      await BUSY(rw, new SharedBuffer(8));
      setTimeout(() => {
        throw new Error('uncaught on purpose');
      }, 1);
      await new Promise(() => {});
    }),
    'terminate in the middle of native work': async () => {
      for (let i = 0; i < 5; i++) {
        const thread = new Thread();
        const shared = new SharedBuffer(8);
        thread.start(BUSY, [shared]);
        await shared.waitAsync(0, 0);
        await thread.end();
      }
    },
    'terminate at any moment of a start': async () => {
      for (let i = 0; i < 10; i++) {
        const thread = new Thread();
        thread.start(BUSY, [new SharedBuffer(8)]);
        await new Promise((resolve) => setTimeout(resolve, i * 8));
        await thread.end();
      }
    },
    'a thread that exits in the middle of native work': async () => {
      const worker = new Worker(script('thread.cjs'));
      const shared = new SharedBuffer(8);
      const text = `async (rw, shared) => { await (${BUSY})(rw, shared); process.exit(9); }`;
      worker.postMessage({ text, args: [shared] });
      assert.deepEqual(await once(worker, 'exit'), [9]);
    },
    'a thread that ends by itself': async () => {
      const worker = new Worker(script('thread.cjs'), { workerData: 'exit at once' });
      assert.deepEqual(await once(worker, 'exit'), [0]);
    },
    'many threads come and go': async () => {
      for (let i = 0; i < 4; i++) {
        const threads = [new Thread(), new Thread(), new Thread()];
        const mutex = new Mutex();
        await Promise.all(threads.map((thread) => thread.run(async ({ WorkerPool: Pool }, lock) => {
          (await lock.lock()).release();
          return new Pool({ maxThreads: 1 }).run('fibonacci', 12);
        }, [mutex])));
        await Promise.all(threads.map((thread) => thread.end()));
      }
    },
    'ports open and forgotten': async () => {
      for (let i = 0; i < 100; i++) new MessageChannel().port1.postMessage(i);
    },
  },
};
