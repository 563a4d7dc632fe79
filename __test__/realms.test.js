'use strict';

// The package in realms that test frameworks make: with a page's globals or none at all, and with Node's replaced.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('./support/child');
const { LINES, everyPart } = require('./support/every-part');

/** Does to the globals of a process what polyfills and page simulators do. */
function replaceGlobals() {
  const { AbortController: Controller } = globalThis;
  const names = [
    'Event', 'MessageEvent', 'EventTarget', 'DOMException', 'AbortSignal', 'structuredClone', 'performance', 'queueMicrotask',
    'MessageChannel', 'MessagePort', 'BroadcastChannel', 'Blob', 'TextEncoder', 'TextDecoder', 'fetch', 'crypto', 'navigator',
    'setInterval', 'setImmediate', 'clearImmediate', 'CustomEvent',
  ];
  // They keep the originals, which makes Node load what it loads lazily; from 22 on its MessageEvent needs the true Event.
  const originals = names.map((name) => globalThis[name]);
  names.forEach((name, i) => {
    if (originals[i] === undefined) return;
    const value = class Replaced {
      constructor() {
        throw new Error(`the replaced ${name} was used`);
      }
    };
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  });
  return { AbortController: Controller };
}

onEachNode('realms', (run) => {
  for (const page of [false, true]) {
    test(page ? "a page's, as of jsdom" : 'a vm context with hardly a global', async () => {
      const program = `async ({ say }, page) => {
        const { realm } = require('./__test__/support/realm');
        const { context, load } = realm({ page });
        const { AbortController: Controller, URL: Url } = page ? context : globalThis;
        await (${everyPart})(load(), say, { AbortController: Controller, URL: Url });
        // Listeners get Node's own event, as those of Node's ports do in every realm.
        const { port1 } = new (load().MessageChannel)();
        port1.addEventListener('close', (event) => say(event instanceof Event));
        port1.close();
      }`;
      assert.deepEqual(await run(program, { args: [page] }), quietly(...LINES, 'true'));
    });
  }

  for (const when of ['before', 'after']) {
    test(`globals that were replaced ${when} we are loaded`, async () => {
      const program = `async ({ load, say }, before) => {
        const { URL: Url } = globalThis;
        let make;
        if (before) make = (${replaceGlobals})();
        const rw = load();
        make ??= (${replaceGlobals})();
        await (${everyPart})(rw, say, { ...make, URL: Url });
      }`;
      assert.deepEqual(await run(program, { args: [when === 'before'] }), quietly(...LINES));
    });
  }

  test('many realms over one addon: ports and locks meet, each has its own classes', async () => {
    const end = await run(async ({ load, say }) => {
      const { realm } = require('./__test__/support/realm');
      const faces = [load(), realm().load(), realm({ page: true }).load()];
      say(new Set(faces.map(({ Mutex }) => Mutex)).size);
      const [main, ...others] = faces;
      const mutex = new main.Mutex();
      const guard = mutex.lockSync();
      const waits = others.map(({ Mutex }) => Mutex.from(mutex).lock());
      guard.release();
      for (const wait of waits) (await wait).release();
      const cells = new main.SharedBuffer(16);
      const woken = others.map(({ SharedBuffer }) => SharedBuffer.from(cells.buffer).waitAsync(1, 0));
      say(cells.notify(1), (await Promise.all(woken)).join());
    });
    assert.deepEqual(end, quietly('3', '2 ok,ok'));
  });
});
