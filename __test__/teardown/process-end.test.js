'use strict';

// How a process ends that has a pool: the exit code, the signal and the output, whatever the pool is at.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('the end of a process', (run) => {
  test('an idle pool lets it end: one never used, one used before, one with threads kept', async () => {
    const end = await run(async ({ load, say }) => {
      const { WorkerPool } = load();
      new WorkerPool();
      const used = new WorkerPool({ minThreads: 2, maxThreads: 2, idleTimeout: Infinity });
      say(await used.run('fibonacci', 10), await used.map('fibonacci', [1, 2, 3]));
    });
    assert.deepEqual(end, quietly('55 1,1,2'));
  });

  test('work under way keeps it alive until the answer', async () => {
    const end = await run(({ load, say }) => {
      const { WorkerPool } = load();
      new WorkerPool().run('sleep', 300).then(() => say('slept'));
      new WorkerPool().map('sleep', [100, 100, 100]).then(() => say('mapped'));
      process.on('exit', () => say('exit'));
    });
    assert.equal(end.code, 0);
    assert.deepEqual(end.stdout.split('\n').sort(), ['', 'exit', 'mapped', 'slept']);
    assert.match(end.stdout, /exit\n$/);
  });

  test('an unref\'d pool lets it end in the middle of work, and ref() takes that back', async () => {
    const unrefd = await run(({ load, say }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 1 }).unref();
      pool.run('sleep', 50_000).then(() => say('never'));
      pool.run('fibonacci', 1).then(() => say('never'));
      process.on('exit', () => say('exit'));
    });
    assert.deepEqual(unrefd, quietly('exit'));

    const refd = await run(({ load, say }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool().unref();
      pool.run('sleep', 200).then(() => say('slept'));
      pool.ref();
    });
    assert.deepEqual(refd, quietly('slept'));
  });

  test('close() keeps it alive until the threads have ended, also on an unref\'d pool', async () => {
    const end = await run(async ({ load, say }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool().unref();
      pool.run('sleep', 100).then(() => say('slept'));
      await pool.close();
      say('closed', pool.threads);
    });
    assert.deepEqual(end, quietly('slept', 'closed 0'));
  });

  test('process.exit() in the middle of work of every kind ends it at once with its code', async () => {
    const end = await run(async ({ load, say, until }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 3 });
      const silent = () => {};
      pool.run('primes', 10_000_000_000).catch(silent);
      pool.run('sort', new Float64Array(4_000_000).map(Math.random)).catch(silent);
      pool.map('fibonacci', Array.from({ length: 10_000 }, () => 30)).catch(silent);
      for (let i = 0; i < 10_000; i++) pool.run('echo', { i, text: 'some' }).catch(silent);
      const given = new Uint8Array(64 * 1024 * 1024);
      pool.run('blake3', given, { transfer: [given.buffer] }).catch(silent);
      await until(() => pool.stats().running === 3, 'three of them run');
      process.on('exit', (code) => say('exit', code));
      process.exit(7);
    });
    assert.deepEqual(end, { code: 7, signal: null, stdout: 'exit 7\n', stderr: '' });
  });

  test('process.exit() in a promise\'s continuation, while other answers of the same batch wait', async () => {
    const end = await run(({ load }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 2 });
      for (let i = 0; i < 5_000; i++) {
        pool.run('echo', ['x', i]).then(([, n]) => {
          if (n === 2_500) process.exit(3);
        });
      }
    });
    assert.deepEqual(end, { code: 3, signal: null, stdout: '', stderr: '' });
  });

  test('an uncaught error in the middle of work ends it as it always does', async () => {
    const end = await run(async ({ load, until }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 2 });
      for (let i = 0; i < 1_000; i++) pool.run('fibonacci', 25);
      await until(() => pool.stats().running === 2, 'two of them run');
      setImmediate(() => {
        throw new Error('thrown on purpose');
      });
    });
    assert.equal(end.signal, null);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /Error: thrown on purpose/);
  });

  test('a rejection that nobody handles ends it, and its error says what happened', async () => {
    const end = await run(({ load }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 2 });
      for (let i = 0; i < 1_000; i++) pool.run('fibonacci', 25);
      pool.run('panic', 'boom on purpose');
    });
    assert.equal(end.signal, null);
    assert.equal(end.code, 1);
    assert.match(end.stderr, /boom on purpose/);
    assert.match(end.stderr, /ERR_RW_TASK_PANICKED/);
  });

  test('a signal ends it in the middle of work', async () => {
    const end = await run(async ({ load, until }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool();
      pool.run('primes', 10_000_000_000);
      await until(() => pool.stats().running === 1, 'it runs');
      process.kill(process.pid, 'SIGTERM');
    });
    assert.deepEqual(end, { code: null, signal: 'SIGTERM', stdout: '', stderr: '' });
  });

  test('pools made and forgotten by the hundred are closed by the garbage collector', async () => {
    const end = await run(
      async ({ load, say, until }) => {
        const { WorkerPool } = load();
        const threads = () => require('node:fs').readdirSync('/proc/self/task').length;
        const use = async () => {
          const pool = new WorkerPool({ maxThreads: 2, minThreads: 1, idleTimeout: Infinity });
          return pool.run('fibonacci', 5);
        };
        await use();
        const before = threads();
        for (let i = 0; i < 200; i++) await use();
        say(threads() > before);
        await until(() => (globalThis.gc(), threads() <= before + 1), 'their threads end');
      },
      { execArgv: ['--expose-gc'] },
    );
    assert.deepEqual(end, quietly('true'));
  });

  test('script pools that were used and forgotten are closed by the garbage collector too', async () => {
    const end = await run(
      async ({ load, say, until }) => {
        const { WorkerPool } = load();
        const threads = () => require('node:fs').readdirSync('/proc/self/task').length;
        const script = 'data:text/javascript,export default (x) => x';
        const use = () => new WorkerPool(script, 1).runTask(1);
        const before = threads();
        let most = before;
        for (let i = 0; i < 5; i++) {
          await use();
          // The collector may run at any time, and end those of before.
          most = Math.max(most, threads());
        }
        say(most > before);
        await until(() => (globalThis.gc(), threads() <= before + 1), 'their threads end');
      },
      { execArgv: ['--expose-gc'] },
    );
    assert.deepEqual(end, quietly('true'));
  });

  test('a pool that nobody has but who waits for its error tells why its worker did not start', async () => {
    const end = await run(
      async ({ load, say, once, until }) => {
        const { WorkerPool } = load();
        let isOver = false;
        const wait = async () => {
          const pool = new WorkerPool('data:text/javascript,throw new Error("not today")', 1);
          const [{ code }] = await once(pool, 'error');
          say(code);
          await pool.close();
          isOver = true;
        };
        wait();
        await until(() => (globalThis.gc(), isOver), 'it is told');
      },
      { execArgv: ['--expose-gc'] },
    );
    assert.deepEqual(end, quietly('ERR_RW_SCRIPT_LOAD'));
  });

  test('a pool forgotten with work under way still answers', async () => {
    const end = await run(
      async ({ load, say, until }) => {
        const { WorkerPool } = load();
        let answers = 0;
        for (let i = 0; i < 50; i++) {
          const pool = new WorkerPool({ maxThreads: 1 });
          pool.run('sleep', 50).then(() => answers++);
          pool.run('fibonacci', 10).then(() => answers++);
        }
        await until(() => (globalThis.gc(), answers === 100), 'all answers');
        say(answers);
      },
      { execArgv: ['--expose-gc'] },
    );
    assert.deepEqual(end, quietly('100'));
  });
});
