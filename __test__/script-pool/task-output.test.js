'use strict';

// What a task prints, told to its caller: the option `onOutput`.

const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { runNode } = require('../support/child');
const { script, using } = require('../support/pools');
const { until } = require('../support/until');

const plain = (chunk) => (typeof chunk === 'string' ? chunk : [...chunk]);

for (const file of ['prints.js', 'prints.mjs']) {
  const withPool = (options, body) => using(new WorkerPool(script(file), { maxThreads: 1, ...options, stdout: true, stderr: true }), body);

  test(`${file}: text and bytes, of both streams, in order, before the answer`, () =>
    withPool({}, async (pool) => {
      const seen = [];
      const said = await pool.run('say', 'hello', { onOutput: (chunk, stream) => seen.push([stream, plain(chunk)]) });
      assert.equal(said, 'hello');
      assert.deepEqual(seen, [
        ['stdout', 'hello\n'], ['stderr', 'hello!\n'], ['stdout', [1, 2, 3]], ['stdout', [255, 0]],
      ]);
    }));

  for (const concurrentTasksPerWorker of [1, 8]) {
    test(`${file}: of several tasks (${concurrentTasksPerWorker} at a time) each gets its own, also after awaits and in timers`, () =>
      withPool({ concurrentTasksPerWorker }, async (pool) => {
        const names = Array.from({ length: 8 }, (_, n) => `task ${n}`);
        await Promise.all(names.map(async (name, n) => {
          const [output, progress] = [[], []];
          const options = { onOutput: (chunk) => output.push(chunk), onProgress: (value) => progress.push(value) };
          // Every other one prints as if nobody listened.
          assert.equal(await pool.run('sayOften', name, n % 2 ? {} : options), name);
          if (n % 2) return assert.deepEqual([output, progress], [[], []]);
          assert.deepEqual(progress, [0, 1, 2, 3, 4]);
          assert.deepEqual(output.filter((text) => text.endsWith('\n')), [0, 1, 2, 3, 4].map((i) => `${name} ${i}\n`));
          assert.ok(output.every((text) => text.startsWith(name)), output.join());
          assert.equal(output.length, 10);
        }));
      }));
  }

  test(`${file}: onProgress alone and onOutput alone`, () =>
    withPool({}, async (pool) => {
      const [output, progress] = [[], []];
      await pool.run('sayOften', 'a', { onProgress: (value) => progress.push(value) });
      await pool.run('sayOften', 'b', { onOutput: (chunk) => output.push(chunk) });
      assert.deepEqual(progress, [0, 1, 2, 3, 4]);
      assert.equal(output.length, 10);
    }));

  test(`${file}: what is printed once the task has ended goes to the worker's own stream`, () =>
    withPool({}, async (pool) => {
      let printed = '';
      pool.on('workerCreate', ({ stdout }) => stdout.on('data', (chunk) => (printed += chunk)));
      const seen = [];
      await pool.run('sayAfterwards', 'late', { onOutput: (chunk) => seen.push(chunk) });
      await until(() => printed.includes('late'), 'it is printed');
      assert.deepEqual(seen, []);
      await pool.run('say', 'nobody listens');
      await until(() => printed.includes('nobody listens'), 'it is printed');
    }));

  test(`${file}: a task that throws, one that is aborted, and a listener that aborts`, () =>
    withPool({}, async (pool) => {
      const seen = [];
      const onOutput = (chunk) => seen.push(chunk);
      await assert.rejects(pool.run('sayAndThrow', 'last words', { onOutput }), RangeError);
      assert.deepEqual(seen.splice(0), ['last words\n']);
      const stop = new AbortController();
      const told = (chunk) => {
        seen.push(chunk);
        stop.abort();
      };
      await assert.rejects(pool.run('sayOften', 'x', { onOutput: told, signal: stop.signal }), { name: 'AbortError' });
      assert.deepEqual(seen, ['x 0\n']);
    }));

  test(`${file}: callbacks of write are called, and what it refuses is refused`, () =>
    withPool({}, async (pool) => {
      const seen = [];
      const result = await pool.run('callbacks', null, { onOutput: (chunk) => seen.push(chunk) });
      assert.deepEqual(result, { order: ['at once', 'one', 'two'], refused: 'ERR_INVALID_ARG_TYPE' });
      assert.deepEqual(seen, ['a', 'b']);
    }));

  test(`${file}: beside progress: 'latest', all output comes, and the last progress`, () =>
    withPool({}, async (pool) => {
      const [output, progress] = [[], []];
      const options = { progress: 'latest', onProgress: (value) => progress.push(value), onOutput: (chunk) => output.push(chunk) };
      await pool.run('sayOften', 'x', options);
      assert.equal(output.length, 10);
      assert.equal(progress.at(-1), 4);
    }));

  test(`${file}: a flood of lines`, () =>
    withPool({}, async (pool) => {
      let lines = 0;
      await pool.run('sayMuch', 5000, { onOutput: (chunk) => assert.equal(chunk, `line ${lines++}\n`) });
      assert.equal(lines, 5000);
    }));

  test(`${file}: map, iterate, runTask by name, another module; the async context is the caller's`, () =>
    withPool({}, async (pool) => {
      const seen = [];
      const context = new AsyncLocalStorage();
      const onOutput = (chunk) => seen.push([plain(chunk), context.getStore()]);
      await context.run('mine', () => pool.map('sayAndThrow', ['m'], { onOutput }).catch(() => {}));
      const parts = [];
      await context.run('mine', async () => {
        for await (const part of pool.iterate('parts', 2, { onOutput })) parts.push(part);
      });
      assert.deepEqual(parts, [0, 1]);
      await context.run('mine', () => pool.runTask('n', { name: 'sayAfterwards', onOutput }));
      await context.run('mine', () => pool.run('say', 'other', { filename: script('prints.js'), onOutput }));
      assert.deepEqual(seen.map(([chunk]) => chunk), ['m\n', 'part 0\n', 'part 1\n', 'other\n', 'other!\n', [1, 2, 3], [255, 0]]);
      assert.deepEqual(new Set(seen.map(([, store]) => store)), new Set(['mine']));
    }));
}

test('without the option everything is printed, as before', async () => {
  const code = `
    const { WorkerPool } = require(${JSON.stringify(require.resolve('../..'))});
    (async () => {
      const pool = new WorkerPool(${JSON.stringify(script('prints.js'))}, { maxThreads: 1 });
      await pool.run('say', 'heard', { onOutput() {} });
      await pool.run('sayMuch', 3);
      await pool.close();
    })();
  `;
  const { stdout, stderr } = await runNode(['-e', code]);
  assert.deepEqual([stdout, stderr], ['line 0\nline 1\nline 2\n', '']);
});

test('what is refused', () =>
  using(new WorkerPool(script('prints.js'), 1), async (pool) => {
    for (const onOutput of [1, 'x', null, {}]) await assert.rejects(pool.run('say', 'x', { onOutput }), errors.InvalidArgTypeError);
    await assert.rejects(pool.run('native:echo', 1, { onOutput() {} }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /for a script's functions/ });
    assert.throws(() => pool.runSync('say', 'x', { onOutput() {} }), { code: 'ERR_RW_INVALID_ARG_VALUE', message: /blocked/ });
  }));
