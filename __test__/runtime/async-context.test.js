'use strict';

// lib/runtime/async-context.js: what an AsyncResource keeps in itself.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('async contexts', (run) => {
  test('can be told from outside', async () => {
    const end = await run(({ say }) => {
      const { AsyncLocalStorage, AsyncResource, createHook } = require('node:async_hooks');
      const { HIDDEN, hasContext } = require('./lib/runtime/async-context');
      const has = (own = new Set()) => hasContext(new AsyncResource('TEST'), own);
      say(HIDDEN.size > 0, has());
      const storage = new AsyncLocalStorage();
      say(storage.run(1, has), has());
      const hook = createHook({ init() {} }).enable();
      const withHooks = has();
      hook.disable();
      say(withHooks, has());
      // What the object has besides is no context.
      const own = Symbol('own');
      say(hasContext(Object.assign(new AsyncResource('TEST'), { [own]: {} }), new Set([own])));
    });
    assert.match(end.stdout, /^true false\ntrue false\n(?:true|false) false\nfalse\n$/);
  });

  test('of which an object shows nothing count as none', async () => {
    const end = await run(({ say }) => say(require('./lib/runtime/async-context').hasContext({}, new Set())));
    assert.deepEqual(end, quietly('false'));
  });
});
