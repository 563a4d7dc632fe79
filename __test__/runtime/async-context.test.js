'use strict';

// lib/runtime/async-context.js: what an AsyncResource keeps in itself.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('async contexts', (run) => {
  test('can be told from outside', async () => {
    const end = await run(({ say }) => {
      const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
      const { HIDDEN, hasContext } = require('./lib/runtime/async-context');
      const has = (own = new Set()) => hasContext(new AsyncResource('TEST'), own);
      say(HIDDEN.size > 0, has());
      const storage = new AsyncLocalStorage();
      say(storage.run(1, has));
      // What the object has besides is no context.
      const own = Symbol('own');
      say(hasContext({ [own]: {} }, new Set([own])));
    });
    assert.deepEqual(end, quietly('true false', 'true', 'false'));
  });

  test('of which an object shows nothing count as none', async () => {
    const end = await run(({ say }) => say(require('./lib/runtime/async-context').hasContext({}, new Set())));
    assert.deepEqual(end, quietly('false'));
  });
});
