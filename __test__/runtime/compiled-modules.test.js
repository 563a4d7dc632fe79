'use strict';

// lib/runtime/compiled-modules.js and bootstrap.js: modules that come compiled. What a worker loads is tested in
// ../script-pool/start-up.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('compiled modules', (run) => {
  test('Node has what they are made with', async () => {
    const end = await run(({ say }) => {
      const Module = module.constructor;
      say(Module === require('node:module'), Module._cache === require.cache);
      say(typeof Module._extensions['.node'], typeof Module.runMain, typeof Module.syncBuiltinESMExports);
    });
    assert.deepEqual(end, quietly('true true', 'function function function'));
  });

  test('none where a file cannot be read', async () => {
    const end = await run(({ say }) => {
      const { readModules } = require('./lib/runtime/compiled-modules');
      say(readModules({ root: '/nowhere', entries: ['a'], native: 'native', addon: 'addon' }) === null);
    });
    assert.deepEqual(end, quietly('true'));
  });

  test('without `_cache`, or `runMain`, a worker loads the files by itself, and imports its script', async () => {
    const end = await run(async ({ load, say }) => {
      const fs = require('node:fs');
      const path = require('node:path');
      const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'rust-workers-runtime-'));
      const poor = path.join(folder, 'poor.cjs');
      fs.writeFileSync(poor, `
        if (!require('node:worker_threads').isMainThread) {
          const Module = require('node:module');
          // As of another runtime: what is asked by our first file has no such things.
          const { _compile } = Module.prototype;
          Module.prototype._compile = function (source, file) {
            const isOurs = file.endsWith('bootstrap.js');
            return _compile.call(this, isOurs ? 'module = { constructor: { syncBuiltinESMExports() {} } };' + source : source, file);
          };
        }`);
      const script = path.resolve('__test__/fixtures/scripts/loaded.js');
      const pool = new (load().WorkerPool)(script, { maxThreads: 1, execArgv: ['--require', poor] });
      const { files } = await pool.runTask({ an: 'object' });
      say(files.some((file) => file.endsWith('runner.js')), files.some((file) => file.endsWith('values.js')));
      await pool.close();
      fs.rmSync(folder, { recursive: true });
    });
    assert.deepEqual(end, quietly('true true'));
  });
});
