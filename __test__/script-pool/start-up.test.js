'use strict';

// What a script pool's worker loads before its first task: lib/script-pool/compiled.js.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { WorkerPool } = require('rust-workers');
const { BEFORE_CODE, nextModules } = require('../../lib/script-pool/compiled');
const { onEachNode, quietly } = require('../support/child');
const { script, using } = require('../support/pools');

const LIB = path.join(__dirname, '..', '..', 'lib') + path.sep;

/** The worker's first file, and what that requires. */
const FIRST = /runtime.(?:bootstrap|module-loader)\.js$/;

/** What a worker of a pool has loaded when it is given `input`. */
const loadedInPool = (input) => using(new WorkerPool(script('loaded.js'), 1), (pool) => pool.runTask(input));

test("of Node's modules a worker loads those of a bare Worker, vm and AsyncLocalStorage", async () => {
  const bare = new Worker(`require('node:worker_threads').parentPort.postMessage(process.moduleLoadList)`, { eval: true });
  const known = new Set(await new Promise((resolve) => bare.once('message', resolve)));
  const { builtins } = await loadedInPool(1);
  const more = builtins.filter((name) => !known.has(name) && !/modules|bootstrap|main/.test(name));
  // AsyncLocalStorage, where each task begins in a context of its own; and what Node 26 loads when it looks through the
  // exports of worker_threads for ES modules.
  const why = / vm$| contextify$|async_local_storage\/|locks$/;
  assert.deepEqual(more.filter((name) => !why.test(name)), []);
});

test('of ours it loads what it was given, and for a number no codec', async () => {
  const { ids } = nextModules();
  const files = ids.map((id) => path.join(LIB, `${id}.js`));
  const ownCode = ({ files: loaded }) => loaded.filter((file) => file.startsWith(LIB) && !FIRST.test(file));
  const forNumber = ownCode(await loadedInPool(1));
  const forObject = ownCode(await loadedInPool({ a: 1, b: 'some name', c: [1, 2, 3] }));
  assert.ok(forNumber.includes(path.join(LIB, 'script-pool', 'runner.js')));
  assert.ok(!forNumber.includes(path.join(LIB, 'task', 'values.js')));
  assert.ok(forObject.includes(path.join(LIB, 'task', 'values.js')));
  assert.deepEqual(forObject.filter((file) => !files.includes(file)), []);
});

test('workers that compile for themselves, and those that get code, do the same', async () => {
  const input = { a: 1, b: 'some name', c: [1, 2, 3] };
  await using(new WorkerPool(script('loaded.js'), BEFORE_CODE + 3), async (pool) => {
    const all = await Promise.all(Array.from({ length: BEFORE_CODE + 3 }, () => pool.runTask(input)));
    for (const { files } of all) assert.deepEqual(files, all[0].files);
  });
});

onEachNode('the modules of a worker', (run) => {
  test("V8's code for them is taken by the V8 that made it", async () => {
    const end = await run(({ say }) => {
      const { Script } = require('node:vm');
      const { BEFORE_CODE, nextModules } = require('./lib/script-pool/compiled');
      const partOf = ({ ends, memory }, i) => Buffer.from(memory, ends[i - 1] ?? 0, ends[i] - (ends[i - 1] ?? 0));
      const first = Array.from({ length: BEFORE_CODE }, nextModules);
      const next = nextModules();
      say(first.every((modules) => modules === first[0]), nextModules() === next);
      say(next.ids.filter((id, i) => partOf(first[0], 2 * i + 1).length > 0).length);
      const rejected = next.ids.filter((id, i) => {
        const filename = `${next.root}/${id}.js`;
        const source = partOf(next, 2 * i).toString('latin1');
        if (source !== partOf(first[0], 2 * i).toString('latin1')) return true;
        return new Script(source, { filename, cachedData: partOf(next, 2 * i + 1) }).cachedDataRejected;
      });
      say(next.ids.length > 10, rejected.length);
    });
    assert.deepEqual(end, quietly('true true', '0', 'true 0'));
  });

  test('when they do not come, the worker loads them by itself', async () => {
    const end = await run(async ({ load, say }) => {
      // The worker manager is loaded after this, and takes the function that it finds there.
      require('./lib/script-pool/compiled').nextModules = () => null;
      const { WorkerPool } = load();
      const pool = new WorkerPool('./__test__/fixtures/scripts/loaded.js', 1);
      const { files } = await pool.runTask({ an: 'object' });
      say(files.some((file) => file.endsWith('runner.js')), files.some((file) => file.endsWith('values.js')));
      await pool.close();
    });
    assert.deepEqual(end, quietly('true true'));
  });

  test('errors thrown in a task point into our files', async () => {
    const end = await run(async ({ load, say }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool('./__test__/fixtures/scripts/loaded.js', 1);
      const { stack } = await pool.run('fail').catch((error) => error);
      say(/script-pool.runner\.js:\d+:\d+/.test(stack));
      await pool.close();
    });
    assert.deepEqual(end, quietly('true'));
  });
});
