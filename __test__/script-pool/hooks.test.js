'use strict';

// The hooks of a script: `export const worker = { setup, teardown, onError }`, in CommonJS and in an ES module.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { notes } = require('../fixtures/scripts/hooks-behaviour');
const { script, using } = require('../support/pools');
const { blockUntil, inTime, until } = require('../support/until');

const SCRIPTS = ['hooks.js', 'hooks.mjs'];

const cellsFor = () => new Int32Array(new SharedArrayBuffer(4 * 4096));

/** A pool whose script has hooks that behave so. */
function poolOf(file, hooks, options) {
  const cells = cellsFor();
  const pool = new WorkerPool(script(file), { maxThreads: 1, ...options, workerData: { cells, ...hooks } });
  return { pool, cells, noted: () => notes(cells) };
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-hooks-'));
after(() => fs.rmSync(folder, { recursive: true }));

/** A script with this text. */
function written(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

for (const file of SCRIPTS) {
  for (const way of ['plain', 'async', 'thenable']) {
    test(`${file}: setup (${way}) runs before the first task, and teardown after the last`, async () => {
      const { pool, noted } = poolOf(file, { setup: way, teardown: way });
      await using(pool, async () => assert.equal(await pool.run('echo', 7), 7));
      assert.deepEqual(noted(), ['loaded', 'setup', 'set up', 'task', 'teardown close', 'torn down']);
    });
  }

  test(`${file}: a script may have one hook alone`, async () => {
    const onlySetup = poolOf(file, { setup: 'plain' });
    await using(onlySetup.pool, (pool) => pool.run('echo', 1));
    assert.deepEqual(onlySetup.noted(), ['loaded', 'setup', 'set up', 'task']);
    const onlyTeardown = poolOf(file, { teardown: 'async' });
    await using(onlyTeardown.pool, (pool) => pool.run('echo', 1));
    assert.deepEqual(onlyTeardown.noted(), ['loaded', 'task', 'teardown close', 'torn down']);
  });

  test(`${file}: the hooks are no tasks`, async () => {
    await using(poolOf(file, { setup: 'plain' }).pool, async (pool) => {
      for (const name of ['worker', 'setup', 'worker.setup']) await assert.rejects(pool.run(name), errors.UnknownTaskError);
    });
  });

  for (const [way, message] of [['throws', 'the hook throws'], ['rejects', 'the hook rejects']]) {
    test(`${file}: a setup that ${way} is a script that does not load`, async () => {
      const { pool, noted } = poolOf(file, { setup: way, teardown: 'plain' });
      const ready = pool.ready;
      const runs = [pool.run('echo', 1), pool.run('echo', 2)];
      for (const promise of [...runs, ready]) {
        await assert.rejects(promise, (error) => {
          assert.ok(error instanceof errors.ScriptLoadError);
          assert.match(error.message, new RegExp(`its hook \`setup\` failed: ${message}$`));
          assert.ok(error.cause instanceof RangeError);
          assert.equal(error.cause.code, 'E_HOOK');
          return true;
        });
      }
      await pool.destroy();
      assert.ok(!noted().includes('task'));
      assert.ok(!noted().some((event) => event.startsWith('teardown')), 'what was not set up is not torn down');
    });
  }

  test(`${file}: a setup that throws undefined`, async () => {
    const { pool } = poolOf(file, { setup: 'nothing' });
    await assert.rejects(pool.run('echo', 1), (error) => {
      assert.equal(error.code, 'ERR_RW_SCRIPT_LOAD');
      assert.match(error.message, /it threw undefined$/);
      return true;
    });
    await pool.destroy();
  });

  test(`${file}: a setup that nothing can settle`, async () => {
    const { pool } = poolOf(file, { setup: 'unsettled' });
    await assert.rejects(pool.run('echo', 1), { code: 'ERR_RW_SCRIPT_LOAD', message: /a promise that nothing can settle$/ });
    await pool.destroy();
  });

  for (const way of ['never', 'blocks']) {
    test(`${file}: a setup that ${way} is ended by setupTimeout`, async () => {
      const { pool, noted } = poolOf(file, { setup: way }, { setupTimeout: 400 });
      await assert.rejects(pool.run('echo', 1), (error) => {
        assert.equal(error.code, 'ERR_RW_SCRIPT_LOAD');
        assert.match(error.message, /within 400 ms, the pool's `setupTimeout`$/);
        assert.equal(error.cause.name, 'TimeoutError');
        return true;
      });
      await pool.destroy();
      assert.ok(!noted().includes('task'));
    });
  }

  for (const way of ['exits', 'exitsLater', 'uncaught']) {
    test(`${file}: a setup that ends its worker (${way})`, async () => {
      const { pool } = poolOf(file, { setup: way });
      const message = way === 'uncaught' ? /uncaught in the hook/ : /exited with code 3/;
      await assert.rejects(pool.run('echo', 1), { code: 'ERR_RW_SCRIPT_LOAD', message });
      await pool.destroy();
    });
  }

  test(`${file}: teardown at each soft end says which it is`, async () => {
    const recycled = poolOf(file, { setup: 'plain', teardown: 'async' }, { recycle: { afterTasks: 1 } });
    await using(recycled.pool, async (pool) => {
      const thread = await pool.run('thread');
      assert.notEqual(await pool.run('thread'), thread);
      assert.ok(recycled.noted().includes('teardown recycle'));
    });
    const idle = poolOf(file, { teardown: 'plain' }, { idleTimeout: 10 });
    await using(idle.pool, async (pool) => {
      await pool.run('echo', 1);
      await until(() => idle.noted().includes('torn down'), 'the idle worker is torn down');
      assert.ok(idle.noted().includes('teardown idle'));
      assert.equal(await pool.run('echo', 2), 2);
    });
    const self = poolOf(file, { setup: 'terminates', teardown: 'plain' });
    await using(self.pool, async (pool) => {
      await pool.run('echo', 1).catch(() => {});
      await until(() => self.noted().includes('teardown self'), 'it ends by itself');
    });
    const resized = poolOf(file, { teardown: 'plain' }, { minThreads: 2, maxThreads: 2 });
    await using(resized.pool, async (pool) => {
      await pool.ready;
      pool.resize({ minThreads: 1, maxThreads: 1 });
      await until(() => resized.noted().includes('teardown resize'), 'one ends');
    });
    const destroyed = poolOf(file, { teardown: 'async' });
    await destroyed.pool.run('echo', 1);
    await destroyed.pool.destroy();
    assert.deepEqual(destroyed.noted(), ['loaded', 'task', 'teardown destroy', 'torn down']);
  });

  for (const way of ['throws', 'rejects']) {
    test(`${file}: a teardown that ${way} is told, and costs nothing else`, async () => {
      const { pool } = poolOf(file, { teardown: way });
      assert.equal(await pool.run('echo', 1), 1);
      const told = once(pool, 'error');
      await inTime(pool.close(), 'the pool closes');
      const [error] = await inTime(told, "the pool's 'error'");
      assert.ok(error instanceof RangeError);
      assert.equal(error.code, 'E_HOOK');
    });
  }

  for (const way of ['never', 'unsettled', 'blocks']) {
    for (const end of ['close', 'destroy']) {
      test(`${file}: ${end}() with a teardown that ${way}: the worker is terminated`, async () => {
        const { pool, noted } = poolOf(file, { teardown: way }, { shutdownTimeout: 50 });
        assert.equal(await pool.run('echo', 1), 1);
        await inTime(pool[end](), 'the pool closes');
        assert.deepEqual(noted(), ['loaded', 'task', `teardown ${end}`]);
      });
    }
  }

  for (const setup of ['never', 'blocks']) {
    test(`${file}: destroy() with a setup that ${setup}, and no limit of its end: the limit of the setup holds`, async () => {
      const { pool, noted } = poolOf(file, { setup, teardown: 'plain' }, { setupTimeout: 300, shutdownTimeout: Infinity });
      await until(() => {
        // Again, where a worker's time was up before its setup began.
        pool.ready.catch(() => {});
        return noted().includes('setup');
      }, 'setup begins');
      await inTime(pool.destroy(), 'the pool closes');
      assert.ok(!noted().some((event) => event.startsWith('teardown')));
    });
  }

  for (const end of ['close', 'destroy']) {
    test(`${file}: ${end}() in the middle of setup: the limit of the setup is none of the teardown`, async () => {
      // On a loaded machine a worker may need longer to begin, so that it is tried with more time.
      for (let limit = 300, isTornDown = false; !isTornDown; limit *= 2) {
        assert.ok(limit < 10_000, 'it is never torn down');
        const hooks = { setup: 'untilAborted', teardown: 'slow', slow: limit + 100 };
        const { pool, noted } = poolOf(file, hooks, { setupTimeout: limit, shutdownTimeout: Infinity });
        pool.on('error', () => {});
        let isOver = false;
        pool.ready.catch(() => {}).then(() => (isOver = true));
        await until(() => isOver || noted().includes('setup'), 'setup begins');
        await inTime(pool[end](), 'it has ended');
        isTornDown = noted().includes('torn down');
      }
    });
  }

  // The pool closes where the worker takes part and its owner has not heard of it yet.
  for (const setup of ['plain', 'async']) {
    for (const ends of [['close'], ['close', 'destroy'], ['destroy']]) {
      test(`${file}: ${ends.join('() and ')}() at the end of a setup (${setup}), with a teardown that blocks: the worker is terminated`, async () => {
        const { pool, noted } = poolOf(file, { setup, teardown: 'blocks' }, { minThreads: 1, shutdownTimeout: 50 });
        blockUntil(() => noted().includes('set up'), 'it is set up');
        await inTime(Promise.all(ends.map((end) => pool[end]())), 'the pool closes');
        assert.equal(noted().filter((event) => event.startsWith('teardown')).length, 1);
      });
    }
  }

  for (const way of ['exits', 'exitsLater', 'uncaught']) {
    test(`${file}: a teardown that ends its worker (${way})`, async () => {
      const { pool } = poolOf(file, { teardown: way });
      pool.on('error', () => {});
      assert.equal(await pool.run('echo', 1), 1);
      await inTime(pool.close(), 'the pool closes');
    });
  }

  test(`${file}: an idle worker whose teardown never ends is terminated, and replaced`, async () => {
    const { pool, noted } = poolOf(file, { teardown: 'never' }, { idleTimeout: 5, shutdownTimeout: 20 });
    await using(pool, async () => {
      // From before: a thread that comes late finds the answer and the end together.
      const ended = once(pool, 'workerDestroy');
      await pool.run('echo', 1);
      await until(() => noted().includes('teardown idle'), 'teardown runs');
      // While it runs, another worker takes the task.
      assert.equal(await pool.run('echo', 2), 2);
      await inTime(ended, 'the worker is terminated');
    });
  });

  for (const [way, isKept] of [['keeps', true], ['ends', false], ['truthy', false]]) {
    for (const fails of ['failLater', 'rejectLater']) {
      test(`${file}: an uncaught error between tasks (${fails}): onError ${way}`, async () => {
        const { pool, noted } = poolOf(file, { onError: way });
        const told = [];
        pool.on('error', (error) => told.push(error));
        await using(pool, async () => {
          const thread = await pool.run('thread');
          await pool.run(fails);
          await until(() => noted().includes('error'), 'onError is called');
          if (isKept) {
            assert.equal(await pool.run('thread'), thread);
            assert.deepEqual(told, []);
          } else {
            await until(() => told.length === 1, 'the pool tells of it');
            assert.ok(told[0] instanceof RangeError);
            assert.notEqual(await pool.run('thread'), thread);
          }
        });
      });
    }
  }

  test(`${file}: an onError that throws ends the worker with what it threw`, async () => {
    const { pool } = poolOf(file, { onError: 'throws' });
    const told = once(pool, 'error');
    await using(pool, async () => {
      await pool.run('failLater');
      assert.match((await inTime(told, "the pool's 'error'"))[0].message, /^onError threw, of: after the task$/);
      assert.equal(await pool.run('echo', 3), 3);
    });
  });

  test(`${file}: an uncaught error while a task runs, with onError that keeps the worker: the task goes on`, async () => {
    const { pool, noted } = poolOf(file, { onError: 'keeps' }, { concurrentTasksPerWorker: 2 });
    await using(pool, async () => {
      const running = pool.run('later', 50);
      await pool.run('failLater');
      await running;
      await until(() => noted().includes('error'), 'onError is called');
    });
  });
}

test('a script that exports a function `worker` has no hooks: it is a task as before', async () => {
  const scripts = [
    written('function.js', 'exports.worker = (n) => n + 1; exports.worker.setup = () => { throw new Error("called"); };'),
    written('function.mjs', 'export function worker(n) { return n + 1; }'),
  ];
  for (const file of scripts) await using(new WorkerPool(file, 1), async (pool) => assert.equal(await pool.run('worker', 1), 2));
});

test('an export `worker` that is something else is left alone', async () => {
  const values = ['{}', '{ setup: 1 }', 'null', '[() => {}]', 'new (class { setup() { throw new Error("called"); } })()', '"x"'];
  for (const [i, value] of values.entries()) {
    const file = written(`other-${i}.js`, `exports.worker = ${value}; exports.two = () => 2;`);
    await using(new WorkerPool(file, 1), async (pool) => assert.equal(await pool.run('two'), 2));
  }
});

test('hooks in a default export, in a namespace, and of a script that exports a promise', async () => {
  const cases = [
    written('default.mjs', 'let n = 0; export default { worker: { setup() { n = 5; } }, get: () => n };'),
    written('space.mjs', 'export * as worker from "./space-hooks.mjs"; export const get = () => globalThis.n;'),
    written('promise.js', 'let n = 0; module.exports = Promise.resolve({ worker: { async setup() { n = 5; } }, get: () => n });'),
    written('on-function.js', 'let n = 0; module.exports = () => n; module.exports.get = () => n; module.exports.worker = { setup() { n = 5; } };'),
  ];
  written('space-hooks.mjs', 'export function setup() { globalThis.n = 5; }');
  for (const file of cases) await using(new WorkerPool(file, 1), async (pool) => assert.equal(await pool.run('get'), 5, file));
});

test('a hook with a misspelt name is refused; a getter of the export that throws is no hook', async () => {
  const misspelt = written('misspelt.js', 'exports.worker = { setup() {}, tearDwon() {} };');
  const pool = new WorkerPool(misspelt, 1);
  const refused = { code: 'ERR_RW_SCRIPT_LOAD', message: /unknown hook 'tearDwon' in the export "worker"; did you mean 'teardown'\?$/ };
  await assert.rejects(pool.runTask(1), refused);
  await pool.destroy();
  const throwing = written('getter.js', 'Object.defineProperty(exports, "worker", { get() { throw new Error("no"); }, enumerable: true }); exports.two = () => 2;');
  await using(new WorkerPool(throwing, 1), async (own) => assert.equal(await own.run('two'), 2));
});

test('a hook that is no function is refused beside others; one that is not there may be null', async () => {
  const wrong = new WorkerPool(written('wrong-hook.js', 'exports.worker = { setup: "later", teardown() {} };'), 1);
  await assert.rejects(wrong.runTask(1), { code: 'ERR_RW_SCRIPT_LOAD', message: /The hook "setup" in the export "worker" must be a function\. Received 'later'$/ });
  await wrong.destroy();
  const without = written('null-hook.mjs', 'let n = 0; export const worker = { setup() { n = 1; }, teardown: null, onError: undefined }; export const get = () => n;');
  await using(new WorkerPool(without, 1), async (own) => assert.equal(await own.run('get'), 1));
});

test('a getter among the hooks that throws: the script does not load', async () => {
  const file = written('hook-getter.js', 'exports.worker = { setup() {}, get teardown() { throw new Error("no teardown"); } };');
  const pool = new WorkerPool(file, 1);
  await assert.rejects(pool.runTask(1), { code: 'ERR_RW_SCRIPT_LOAD', message: /no teardown/ });
  await pool.destroy();
});

test('a pool that a script makes of itself in its setup is refused', async () => {
  const file = written('own.js', `
    const { WorkerPool } = require(${JSON.stringify(path.join(__dirname, '..', '..'))});
    exports.worker = { setup() { new WorkerPool(__filename, 1); } };
  `);
  const pool = new WorkerPool(file, 1);
  await assert.rejects(pool.runTask(1), { code: 'ERR_RW_SCRIPT_LOAD', message: /makes a pool of itself/ });
  await pool.destroy();
});

test('setup may use a pool and locks of ours; the messages that it posts reach the pool', async () => {
  const file = written('uses.mjs', `
    import { parentPort } from 'node:worker_threads';
    import { Mutex, WorkerPool } from ${JSON.stringify(path.join(__dirname, '..', '..', 'lib', 'index.mjs'))};
    let sum;
    export const worker = {
      async setup() {
        const pool = new WorkerPool({ maxThreads: 1 });
        const guard = await new Mutex().lock();
        sum = await pool.run('fibonacci', 10);
        guard.release();
        await pool.close();
        parentPort.postMessage('from setup');
      },
    };
    export const get = () => sum;
  `);
  const pool = new WorkerPool(file, { maxThreads: 1 });
  const message = once(pool, 'message');
  await using(pool, async () => assert.equal(await pool.run('get'), 55));
  assert.equal((await message)[0], 'from setup');
});

test('setupTimeout also limits a script that does not come to an end of loading', async () => {
  for (const [name, text] of [['top.mjs', 'setInterval(() => {}, 1e6); await new Promise(() => {});'], ['loop.js', 'for (;;);']]) {
    const pool = new WorkerPool(written(name, text), { maxThreads: 1, setupTimeout: 300 });
    await assert.rejects(pool.runTask(1), { code: 'ERR_RW_SCRIPT_LOAD', message: /within 300 ms/ });
    await pool.destroy();
  }
});

test('setupTimeout and shutdownTimeout are checked, shown, and refused for a pool without a script', async () => {
  const file = script('held.js');
  for (const name of ['setupTimeout', 'shutdownTimeout']) {
    for (const value of [-1, 'x', NaN, null, 2 ** 31]) assert.throws(() => new WorkerPool(file, { [name]: value }), { code: /^ERR_RW_/ });
    assert.throws(() => new WorkerPool({ [name]: 5 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /for pools with a script/ });
  }
  assert.throws(() => new WorkerPool(file, { setupTimeout: 0 }), { code: 'ERR_RW_OUT_OF_RANGE' });
  const pools = [new WorkerPool(file), new WorkerPool(file, { setupTimeout: 5000, shutdownTimeout: Infinity })];
  assert.deepEqual(pools.map(({ options }) => [options.setupTimeout, options.shutdownTimeout]), [[Infinity, 1000], [5000, Infinity]]);
  await Promise.all(pools.map((pool) => pool.close()));
});
