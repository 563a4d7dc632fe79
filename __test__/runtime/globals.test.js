'use strict';

// lib/runtime/globals.js: what programs know as globals, as Node made it.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

const NAMES = ['AbortController', 'DOMException', 'Event', 'EventTarget', 'MessageEvent', 'structuredClone', 'queueMicrotask'];

onEachNode("Node's globals", (run) => {
  test("are found in Node's own modules, whatever stands in the global object", async () => {
    const end = await run(
      ({ say }, names) => {
        const node = Object.fromEntries(names.map((name) => [name, globalThis[name]]));
        const { nextTick } = process;
        for (const name of names) if (name !== 'queueMicrotask') globalThis[name] = undefined;
        const found = require('./lib/runtime/globals');
        for (const name of names) if (name !== 'structuredClone' && found[name] !== node[name]) say(name);
        say(found.nextTick === nextTick);
      },
      { args: [NAMES] },
    );
    assert.deepEqual(end, quietly('true'));
  });

  test('functions are known by their source', async () => {
    const end = await run(({ say }) => {
      const { nextTick } = process;
      const { structuredClone } = globalThis;
      const found = require('./lib/runtime/globals');
      say(found.nextTick === nextTick, found.queueMicrotask === queueMicrotask, found.structuredClone === structuredClone);
    });
    assert.deepEqual(end, quietly('true true true'));
  });

  test('that somebody has replaced have one of ours in their place', async () => {
    const end = await run(({ say }) => {
      process.on('uncaughtException', (error) => say(error.message));
      process.nextTick = () => {};
      globalThis.queueMicrotask = () => {};
      globalThis.structuredClone = (value) => value;
      const { nextTick, queueMicrotask, structuredClone } = require('./lib/runtime/globals');
      nextTick(say, 'a tick', 'with arguments');
      queueMicrotask(() => {
        throw new Error('uncaught');
      });
      const buffer = new ArrayBuffer(8);
      const copy = structuredClone({ buffer, map: new Map([[1, 2]]) }, { transfer: [buffer] });
      say(copy.map.get(1), copy.buffer.byteLength, buffer.byteLength);
      try {
        structuredClone(() => {});
      } catch (error) {
        say(error.name);
      }
    });
    assert.deepEqual(end, quietly('2 8 0', 'DataCloneError', 'a tick with arguments', 'uncaught'));
  });

  test('of which a runtime has no source are the global ones', async () => {
    const end = await run(({ say }) => {
      require('node:util').transferableAbortController = undefined;
      say(require('./lib/runtime/globals').AbortController === AbortController);
    });
    assert.deepEqual(end, quietly('true'));
  });
});
