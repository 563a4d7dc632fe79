'use strict';

// lib/runtime/host-realm.js: Node's own registry of modules. What it is for is tested in ../realms.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode("the host's copy", (run) => {
  test("is found by a module that is none of Node's registry", async () => {
    const end = await run(({ say }) => {
      const { hostCopy } = require('./lib/runtime/host-realm');
      const filename = require.resolve('./lib/errors');
      const copy = { filename, exports: {}, constructor: function Elsewhere() {} };
      say(hostCopy(copy) === require('./lib/errors'));
      say(require.cache === module.constructor._cache);
      const own = require.cache[filename];
      say(hostCopy(own) === own.exports);
    });
    assert.deepEqual(end, quietly('true', 'true', 'true'));
  });

  test('without `process.getBuiltinModule`, by the main module', async () => {
    const end = await run(({ say }) => {
      process.getBuiltinModule = undefined;
      process.mainModule = module;
      const { hostCopy } = require('./lib/runtime/host-realm');
      const copy = { filename: require.resolve('./lib/errors'), exports: {}, constructor: function Elsewhere() {} };
      say(hostCopy(copy) === require('./lib/errors'));
    });
    assert.deepEqual(end, quietly('true'));
  });

  test('where there is none, each copy is its own', async () => {
    const end = await run(({ say }) => {
      const { hostCopy, keptOn } = require('./lib/runtime/host-realm');
      const bundled = { filename: '/nowhere/bundle.js', exports: { made: () => 'by itself' }, constructor: undefined };
      say(hostCopy(bundled) === bundled.exports, keptOn({}, Symbol('key'), bundled, (host) => host.made()));
    });
    assert.deepEqual(end, quietly('true by itself'));
  });
});
