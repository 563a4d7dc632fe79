'use strict';

// How a worker thread ends that has pools: the place where Node 20 and 22 crash addons that are not careful
// (src/node/wakeup.rs). Each case is repeated, as what it looks for is a race.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

/** Enough to notice; RW_ROUNDS=30 to be sure. */
const ROUNDS = Number(process.env.RW_ROUNDS ?? 6);

/** What a worker has under way when it is terminated; each tells its parent when that is so, and ends by nothing else. */
const UNDER_WAY = {
  'thousands of pending promises': ({ load, parentPort }) => {
    const pool = new (load().WorkerPool)({ maxThreads: 2 });
    for (let i = 0; i < 20_000; i++) pool.run('echo', { i, text: `some text ${i}` });
    setInterval(Object, 1_000);
    parentPort.postMessage('go');
  },
  'answers that come in as fast as they can': async ({ load, parentPort }) => {
    const pool = new (load().WorkerPool)({ maxThreads: 2 });
    const lane = async () => {
      for (;;) await pool.run('noop');
    };
    for (let i = 0; i < 500; i++) lane();
    setInterval(Object, 1_000);
    parentPort.postMessage('go');
  },
  'a running map, and others waiting': ({ load, parentPort }) => {
    const pool = new (load().WorkerPool)({ maxThreads: 2 });
    for (let i = 0; i < 10; i++) pool.map('fibonacci', Array.from({ length: 1_000 }, () => 22));
    for (let i = 0; i < 10; i++) pool.map('echo', Array.from({ length: 1_000 }, (_, n) => ({ n })));
    setInterval(Object, 1_000);
    parentPort.postMessage('go');
  },
  'transferred memory in long tasks, and in tasks that wait': ({ load, parentPort }) => {
    const pool = new (load().WorkerPool)({ maxThreads: 2 });
    const numbers = new Float64Array(200_000).map(Math.random);
    for (let i = 0; i < 4; i++) {
      const bytes = new Uint8Array(64 * 1024 * 1024);
      pool.run('sha512', bytes, { transfer: [bytes.buffer] });
      const some = numbers.slice();
      pool.run('sort', some, { transfer: [some.buffer] });
      const parts = Array.from({ length: 10 }, () => new Uint8Array(100_000));
      pool.map('echo', parts, { transfer: parts.map(({ buffer }) => buffer) });
    }
    setInterval(Object, 1_000);
    parentPort.postMessage('go');
  },
  'results of 1 MiB and more': async ({ load, parentPort }) => {
    const pool = new (load().WorkerPool)({ maxThreads: 2 });
    const input = new Uint8Array(1024 * 1024 + 8);
    let answers = 0;
    const lane = async () => {
      for (;;) {
        await pool.run('echo', input);
        if (++answers === 20) parentPort.postMessage('go');
      }
    };
    for (let i = 0; i < 8; i++) lane();
    const moving = async () => {
      for (let bytes = new Uint8Array(2 * 1024 * 1024); ; ) {
        bytes = await pool.run('echo', bytes, { transfer: [bytes.buffer] });
      }
    };
    for (let i = 0; i < 4; i++) moving();
    pool.run('primes', { limit: 30_000_000, list: true });
    setInterval(Object, 1_000);
  },
  'signals, time limits and closing pools': async ({ load, parentPort }) => {
    const { WorkerPool } = load();
    const controller = new AbortController();
    const pool = new WorkerPool({ maxThreads: 1 });
    const silent = () => {};
    for (let i = 0; i < 200; i++) {
      pool.run('sleep', 5, { signal: controller.signal, timeout: 2 + (i % 20) }).catch(silent);
    }
    for (let i = 0; i < 10; i++) {
      const other = new WorkerPool({ maxThreads: 2 });
      other.run('sleep', i).catch(silent);
      other.close({ force: i % 2 === 0 });
    }
    setTimeout(() => controller.abort(), 4);
    setInterval(Object, 1_000);
    parentPort.postMessage('go');
  },
};

onEachNode('the end of a worker', (run) => {
  for (const [what, underWay] of Object.entries(UNDER_WAY)) {
    for (const alsoInMain of [false, true]) {
      test(`terminate() with ${what}${alsoInMain ? ', the addon also in use in the main thread' : ''}`, async () => {
        const program = async ({ load, once, say, start, after }, underWayText, rounds, inMain) => {
          const pool = inMain ? new (load().WorkerPool)() : undefined;
          for (let round = 0; round < rounds; round++) {
            const worker = start(underWayText);
            await once(worker, 'message');
            // Any moment will do.
            await after(round % 4);
            const running = pool?.map('fibonacci', [15, 16, 17, 18]);
            say('ended with', await worker.terminate());
            await running;
          }
          await pool?.close();
        };
        const end = await run(program, { args: [String(underWay), ROUNDS, alsoInMain] });
        assert.deepEqual(end, quietly(...Array.from({ length: ROUNDS }, () => 'ended with 1')));
      });
    }
  }

  test('a worker that ends by itself leaves unref\'d work behind, without waiting for it', async () => {
    const end = await run(async ({ once, say, start }) => {
      const started = performance.now();
      for (let round = 0; round < 10; round++) {
        const worker = start(({ load }) => {
          const pool = new (load().WorkerPool)({ maxThreads: 2 }).unref();
          pool.run('sleep', 50_000);
          pool.run('primes', 10_000_000_000);
          const given = new Uint8Array(4 * 1024 * 1024);
          pool.run('sha512', given, { transfer: [given.buffer] });
          for (let i = 0; i < 1_000; i++) pool.run('echo', `text ${i}`);
        });
        const [code] = await once(worker, 'exit');
        say('ended with', code);
      }
      say(performance.now() - started < 20_000);
    });
    assert.deepEqual(end, quietly(...Array.from({ length: 10 }, () => 'ended with 0'), 'true'));
  });

  test('process.exit() and an uncaught error in a worker in the middle of work end that worker only', async () => {
    const end = await run(async ({ load, once, say, start }) => {
      const pool = new (load().WorkerPool)();
      for (let round = 0; round < 10; round++) {
        const exiting = start(({ load: loadHere }) => {
          const own = new (loadHere().WorkerPool)({ maxThreads: 2 });
          for (let i = 0; i < 5_000; i++) own.run('echo', { i });
          setTimeout(() => process.exit(5), 1);
        });
        const [code] = await once(exiting, 'exit');
        const failing = start(({ load: loadHere }) => {
          const own = new (loadHere().WorkerPool)({ maxThreads: 2 });
          for (let i = 0; i < 5_000; i++) own.run('echo', { i });
          setTimeout(() => {
            throw new Error('on purpose');
          }, 1);
        });
        const [error] = await once(failing, 'error');
        say(code, error.message, await pool.run('fibonacci', 10));
      }
    });
    assert.deepEqual(end, quietly(...Array.from({ length: 10 }, () => '5 on purpose 55')));
  });

  test('8 workers that each own two pools settle 10,000 tasks', async () => {
    const end = await run(async ({ once, say, start }) => {
      const workers = Array.from({ length: 8 }, () =>
        start(async ({ load, parentPort }) => {
          const { WorkerPool } = load();
          const pools = [new WorkerPool({ maxThreads: 1 }), new WorkerPool({ maxThreads: 3 })];
          const runs = Array.from({ length: 1_250 }, (_, i) => pools[i % 2].run('fibonacci', i % 20));
          const answers = await Promise.all(runs);
          await pools[0].close();
          parentPort.postMessage(answers.reduce((sum, answer) => sum + answer));
        }),
      );
      const codes = Promise.all(workers.map((worker) => once(worker, 'exit')));
      say(...(await Promise.all(workers.map((worker) => once(worker, 'message')))));
      say(...(await codes));
    });
    const fibonacci = (n) => (n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2));
    const sum = Array.from({ length: 1_250 }, (_, i) => fibonacci(i % 20)).reduce((a, b) => a + b);
    assert.deepEqual(end, quietly(Array(8).fill(sum).join(' '), Array(8).fill(0).join(' ')));
  });

  test('it loads in 50 workers one after the other, and in 50 at once', async () => {
    const end = await run(
      async ({ once, say, start }) => {
        const useAndEnd = async () => {
          const worker = start(async ({ load, parentPort }) => {
            parentPort.postMessage(await new (load().WorkerPool)({ maxThreads: 1 }).run('fibonacci', 20));
          });
          const exit = once(worker, 'exit');
          const [answer] = await once(worker, 'message');
          return [answer, ...(await exit)];
        };
        let right = 0;
        for (let i = 0; i < 50; i++) if ((await useAndEnd()).join() === '6765,0') right++;
        const together = await Promise.all(Array.from({ length: 50 }, useAndEnd));
        say(right, together.filter((answer) => answer.join() === '6765,0').length);
      },
      { timeout: 120_000 },
    );
    assert.deepEqual(end, quietly('50 50'));
  });

  test('workers with little memory: the worker fails by itself, or works', async () => {
    const end = await run(async ({ load, once, say, start }) => {
      const own = new (load().WorkerPool)();
      for (const [maxOldGenerationSizeMb, stackSizeMb] of [[8, 1], [16, 0.5], [5, 4]]) {
        const worker = start(
          async ({ load: loadHere }) => {
            const pool = new (loadHere().WorkerPool)({ maxThreads: 2 });
            const kept = [];
            for (;;) kept.push(...(await pool.map('echo', Array.from({ length: 5_000 }, (_, i) => ({ i })))));
          },
          { resourceLimits: { maxOldGenerationSizeMb, stackSizeMb, maxYoungGenerationSizeMb: 1 } },
        );
        const [error] = await once(worker, 'error');
        say(error.code, await own.run('fibonacci', 10));
      }
    });
    assert.deepEqual({ ...end, stderr: '' }, quietly(...Array(3).fill('ERR_WORKER_OUT_OF_MEMORY 55')));
  });
});
