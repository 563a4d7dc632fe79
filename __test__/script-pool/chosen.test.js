'use strict';

// Tasks that name the worker that is to run them, and tasks that name another module: `worker` and `filename`.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { pathToFileURL } = require('node:url');

const { WorkerPool, errors } = require('rust-workers');
const { holdWorker, script, using } = require('../support/pools');
const { inTime, until } = require('../support/until');

const functions = script('functions.js');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-chosen-'));
after(() => fs.rmSync(folder, { recursive: true }));

function written(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

/** Inputs that go by the queue, and by Node's port: copied, and moved. */
const INPUTS = {
  'by the queue': () => [{ n: 1 }, {}],
  'by the port': () => [new Blob(['x']), {}],
  'moved memory': () => {
    const bytes = new Uint8Array(100_000);
    return [bytes, { transfer: [bytes.buffer] }];
  },
  'a moved port': () => {
    const { port1 } = new MessageChannel();
    return [port1, { transfer: [port1] }];
  },
};

for (const [how, make] of Object.entries(INPUTS)) {
  test(`worker: each task runs on the worker that it names (${how})`, () =>
    using(new WorkerPool(functions, 3), async (pool) => {
      await pool.ready;
      const runs = [];
      for (let i = 0; i < 60; i++) {
        const [input, options] = make();
        const id = (i * 7) % 3;
        runs.push(pool.run('workerId', input, { ...options, worker: id }).then((ran) => assert.equal(ran, id)));
      }
      await inTime(Promise.all(runs), 'all have run');
    }));

  test(`worker: tasks for a worker that ends before their turn are rejected, and no other worker runs them (${how})`, () =>
    using(new WorkerPool(functions, { minThreads: 2, maxThreads: 2 }), async (pool) => {
      await pool.ready;
      const [input, options] = make();
      const [second, more] = make();
      // It takes the one, and ends by it.
      const exit = assert.rejects(pool.run('exit', { code: 5 }, { worker: 1 }), { code: 'ERR_RW_WORKER_EXITED', exitCode: 5 });
      const waits = assert.rejects(pool.run('workerId', input, { ...options, worker: 1 }), errors.WorkerExitedError);
      const other = pool.run('workerId', second, { ...more, worker: 0 });
      await inTime(Promise.all([exit, waits]), 'both are rejected');
      assert.equal(await other, 0);
      assert.equal(pool.queueSize, 0);
    }));
}

test('worker: the queue of the others goes on, and tasks for one worker keep their order and priority', () =>
  using(new WorkerPool(functions, 2), async (pool) => {
    await pool.ready;
    const { task, open } = await holdWorker(pool);
    const { id } = pool.workers.find(({ state }) => state === 'busy');
    const order = [];
    const bound = [1, 2, 3, 4].map((n) => pool.run('echo', n, { worker: id, priority: n === 3 ? 1 : 0 }).then((value) => order.push(value)));
    for (let i = 0; i < 20; i++) assert.equal(await pool.run('workerId', i), 1 - id);
    assert.deepEqual(order, []);
    open();
    await Promise.all([task, ...bound]);
    assert.deepEqual(order, [3, 1, 2, 4]);
  }));

test('worker: aborted, timed out, destroyed and cancelled while they wait', async () => {
  const pool = new WorkerPool(functions, 2);
  await pool.ready;
  const { task, open } = await holdWorker(pool);
  task.catch(() => {});
  const { id } = pool.workers.find(({ state }) => state === 'busy');
  const stop = new AbortController();
  const aborted = assert.rejects(pool.run('echo', 1, { worker: id, signal: stop.signal }), { name: 'AbortError' });
  const late = assert.rejects(pool.run('echo', 1, { worker: id, timeout: 5 }), { name: 'TimeoutError' });
  stop.abort();
  await Promise.all([aborted, late]);
  const queued = assert.rejects(pool.run('echo', new Blob([]), { worker: id }), { code: 'ERR_RW_TASK_CANCELLED' });
  assert.equal(pool.cancelQueued(), 1);
  await queued;
  const last = assert.rejects(pool.run('echo', 1, { worker: id }), { code: 'ERR_RW_POOL_CLOSED' });
  const destroyed = pool.destroy();
  await last;
  open();
  await destroyed;
});

test('worker: a starting worker, recycled workers, and a closing pool', async () => {
  const pool = new WorkerPool(functions, 2);
  // None has loaded the script yet.
  assert.deepEqual(pool.workers.map(({ state }) => state), ['starting', 'starting']);
  assert.equal(await pool.run('workerId', 0, { worker: 1 }), 1);
  await pool.ready;
  const runs = Array.from({ length: 20 }, (_, n) => pool.run('workerId', n, { worker: n % 2 }));
  const recycled = pool.recycle();
  assert.deepEqual(await Promise.all(runs), Array.from({ length: 20 }, (_, n) => n % 2));
  await recycled;
  await until(() => pool.workers.length === 2, 'both are there again');
  const last = pool.run('workerId', 0, { worker: 1 });
  await pool.close();
  assert.equal(await last, 1);
});

test('worker: what is refused', () =>
  using(new WorkerPool(functions, 1), async (pool) => {
    await pool.ready;
    await assert.rejects(pool.run('echo', 1, { worker: 5 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /There is no worker 5\. The workers are 0/ });
    for (const worker of [-1, 0.5, NaN]) await assert.rejects(pool.run('echo', 1, { worker }), errors.OutOfRangeError);
    await assert.rejects(pool.run('echo', 1, { worker: '0' }), errors.InvalidArgTypeError);
    await assert.rejects(pool.run('native:echo', 1, { worker: 0 }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /for a script's functions/ });
    assert.deepEqual(await pool.map('echo', [1, 2, 3], { worker: 0 }), [1, 2, 3]);
    assert.equal(pool.runSync('echo', 7, { worker: 0 }), 7);
  }));

test('worker: random ends in the middle, and every promise settles', async () => {
  let seed = 11;
  const below = (n) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
  for (let round = 0; round < 25; round++) {
    const pool = new WorkerPool(functions, { minThreads: 2, maxThreads: 2, killTimeout: 20, shutdownTimeout: 20 });
    pool.on('error', () => {});
    await pool.ready;
    let settled = 0;
    const runs = [];
    for (let i = 0; i < 30; i++) {
      const [input, options] = Object.values(INPUTS)[below(4)]();
      const what = ['workerId', 'workerId', 'workerId', 'exit', 'throwLater'][below(5)];
      const given = what === 'exit' ? { code: 3 } : input;
      let run;
      try {
        run = pool.run(what, given, { ...(given === input ? options : {}), worker: below(2), priority: below(3) });
      } catch (error) {
        assert.fail(error);
      }
      runs.push(run.catch(() => {}).then(() => settled++));
      if (below(10) === 0) await new Promise(setImmediate);
      if (below(15) === 0) pool.recycle().catch(() => {});
    }
    const end = below(3);
    await inTime(end === 0 ? pool.close() : end === 1 ? pool.destroy() : pool.close({ cancelQueued: true }), 'the pool closes');
    await inTime(Promise.all(runs), 'all settle');
    assert.equal(settled, runs.length);
    const { submitted, completed, failed, cancelled } = pool.stats();
    assert.equal(submitted, completed + failed + cancelled, `round ${round}`);
  }
});

for (const file of [script('others/plus.js'), script('others/plus.mjs')]) {
  const name = path.basename(file);
  for (const [form, filename] of [['a path', file], ['a URL', pathToFileURL(file)], ["a URL's text", pathToFileURL(file).href]]) {
    test(`filename: ${name} by ${form}, loaded once in each worker`, () =>
      using(new WorkerPool(functions, 2), async (pool) => {
        const sums = await Promise.all(Array.from({ length: 50 }, (_, n) => pool.run('plus', [n, 1], { filename })));
        assert.deepEqual(sums, Array.from({ length: 50 }, (_, n) => n + 1));
        const loaded = await Promise.all(Array.from({ length: 50 }, () => pool.run('loaded', null, { filename })));
        for (const [, times] of loaded) assert.equal(times, 1);
        assert.equal(await pool.run('echo', 5), 5, 'the script itself');
      }));
  }

  test(`filename: ${name} by a path relative to this file`, () =>
    using(new WorkerPool(functions, 1), async (pool) => {
      const filename = `../fixtures/scripts/others/${name}`;
      assert.equal(await pool.run('plus', [1, 2], { filename }), 3);
      assert.deepEqual(await pool.map('plus', [[1, 2], [3, 4]], { filename }), [3, 7]);
      const parts = [];
      for await (const part of pool.stream('plus', [[1, 2], [3, 4]], { filename })) parts.push(part);
      assert.deepEqual(parts, [3, 7]);
    }));

  test(`filename: ${name} beside the other options, and under the name of a native task`, () =>
    using(new WorkerPool(functions, 2), async (pool) => {
      const words = ['b', 'a'];
      // Also before the script's exports are known.
      assert.deepEqual(await pool.run('sort', words, { filename: file }), ['a', 'b']);
      await pool.ready;
      assert.deepEqual(await pool.run('sort', words, { filename: file }), ['a', 'b']);
      assert.deepEqual(await pool.map('sort', [words], { filename: file }), [['a', 'b']]);
      assert.deepEqual(await pool.run('sort', Uint8Array.of(2, 1)), Uint8Array.of(1, 2));
      assert.equal(pool.runSync('plus', [2, 2], { filename: file }), 4);
      assert.equal(await pool.run('spread', [1, 2, 3], { filename: file, spread: true }), 3);
      assert.equal(await pool.run('spread', [1, 2, 3], { filename: file, spread: true }), 3);
      const parts = [];
      for await (const part of pool.iterate('parts', 3, { filename: file, worker: 0 })) parts.push(part);
      assert.deepEqual(parts, [0, 1, 2]);
      const seen = [];
      const ran = await pool.run('report', 3, { filename: file, worker: 1, onProgress: (value) => seen.push(value) });
      assert.deepEqual([ran, seen], [1, [0, 1, 2]]);
      await assert.rejects(pool.run('fail', 'as it is', { filename: file }), { name: 'RangeError', message: 'as it is' });
      await assert.rejects(pool.run('plus', [1, 2], { filename: file, signal: AbortSignal.abort() }), { name: 'AbortError' });
    }));

  test(`filename: a function that ${name} does not export`, () =>
    using(new WorkerPool(functions, 1), async (pool) => {
      for (let i = 0; i < 2; i++) {
        await assert.rejects(pool.run('plsu', 1, { filename: file }), { code: 'ERR_RW_UNKNOWN_TASK', message: /The module file:.* exports no function 'plsu'; did you mean 'plus'\?/ });
      }
      await assert.rejects(pool.run('echo', 1, { filename: file }), errors.UnknownTaskError);
    }));
}

test('filename: the default export, by runTask; and a module that exports promises', () =>
  using(new WorkerPool(functions, 1), async (pool) => {
    assert.equal(await pool.runTask(5, { filename: script('others/plus.mjs') }), 'default 5');
    assert.equal(await pool.runTask(5, { filename: written('function.js', 'module.exports = (n) => n * 2;') }), 10);
    const promised = written('promised.js', 'module.exports = Promise.resolve({ later: (n) => n + 1 });');
    assert.equal(await pool.run('later', 1, { filename: promised }), 2);
    const own = await pool.run('echo', 1, { filename: functions });
    assert.equal(own, 1, "the pool's own script is the module that is there");
    await assert.rejects(pool.runTask(5, { filename: script('others/plus.js') }), { code: 'ERR_RW_UNKNOWN_TASK' });
  }));

test('filename: a module that does not load fails its task and costs no worker; the next task tries again', () =>
  using(new WorkerPool(functions, 1), async (pool) => {
    const thread = await pool.run('thread');
    const missing = path.join(folder, 'later.js');
    await assert.rejects(pool.run('get', 1, { filename: missing }), (error) => {
      assert.ok(error instanceof errors.ScriptLoadError);
      assert.match(error.message, /The module file:.*later\.js could not be loaded: .*There is no such file/s);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    await assert.rejects(pool.run('get', 1, { filename: written('throws.mjs', 'throw new RangeError("while it loads");') }), {
      code: 'ERR_RW_SCRIPT_LOAD', message: /while it loads/,
    });
    written('later.js', 'exports.get = () => "there";');
    assert.equal(await pool.run('get', 1, { filename: missing }), 'there');
    assert.equal(await pool.run('thread'), thread);
  }));

test('filename: a name cannot be made to load a file', () =>
  using(new WorkerPool(functions, 1), async (pool) => {
    const file = pathToFileURL(written('secret.js', 'globalThis.loadedSecret = true; exports.get = () => 1;')).href;
    for (const name of [`\0${file}\0get`, '\0', `\0${file}`]) {
      await assert.rejects(pool.run(name, 1), errors.UnknownTaskError);
      await assert.rejects(pool.runTask(1, { name }), errors.UnknownTaskError);
    }
    await pool.ready;
    await assert.rejects(pool.run(`\0${file}\0get`, 1), errors.UnknownTaskError);
  }));

test('filename: the same name in two modules is two tasks, also for `dedupe`, `cache` and `retries`', () =>
  using(new WorkerPool(functions, { maxThreads: 1, cache: { max: 10 } }), async (pool) => {
    const one = written('one.js', 'exports.which = () => "one";');
    const two = written('two.mjs', 'export const which = () => "two";');
    for (const more of [{ dedupe: 'key' }, { cache: 'key' }, { cache: 'key' }, { retries: 1 }]) {
      const runs = [one, two, one].map((filename) => pool.run('which', null, { filename, ...more }));
      assert.deepEqual(await Promise.all(runs), ['one', 'two', 'one']);
    }
    const filename = '../fixtures/scripts/others/plus.js';
    assert.equal(await pool.run('plus', [1, 2], { filename, retries: 2 }), 3);
    assert.deepEqual(await pool.run('sort', ['b', 'a'], { filename, dedupe: 'x' }), ['a', 'b']);
  }));

test('filename: what is refused', () =>
  using(new WorkerPool(functions, 1), async (pool) => {
    for (const filename of [5, null, {}, [], true]) await assert.rejects(pool.run('x', 1, { filename }), { code: 'ERR_RW_INVALID_ARG_TYPE', message: /"options\.filename"/ });
    for (const filename of ['', 'a\0b', 'http://example.com/x.js']) await assert.rejects(pool.run('x', 1, { filename }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /"options\.filename"/ });
    const native = new WorkerPool();
    await assert.rejects(native.run('echo', 1, { filename: functions }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /for a script's functions/ });
    await native.close();
  }));
