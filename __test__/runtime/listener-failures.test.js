'use strict';

// lib/runtime/listener-failures.js: Node's ports add and remove every listener by their own `addEventListener`.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode("a port's listeners", (run) => {
  test('of every style are covered, removed, and tell when they fail', async () => {
    const end = await run(async ({ say, once }) => {
      const { MessageChannel } = require('node:worker_threads');
      const { coverListeners } = require('./lib/runtime/listener-failures');
      const uncaught = [];
      const alive = setInterval(() => {}, 1000);
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const styles = {
        on: (port, listener) => port.on('message', listener),
        once: (port, listener) => port.once('message', listener),
        onmessage: (port, listener) => (port.onmessage = listener),
        addEventListener: (port, listener) => port.addEventListener('message', listener),
        handleEvent: (port, handleEvent) => port.addEventListener('message', { handleEvent }),
        'a promise': (port, listener) => port.on('message', async (value) => listener(value)),
      };
      for (const [style, add] of Object.entries(styles)) {
        const { port1, port2 } = new MessageChannel();
        const failed = [];
        coverListeners(port2, () => (error) => failed.push(error.message));
        const removed = () => say('never');
        port2.on('message', removed);
        port2.off('message', removed);
        add(port2, () => {
          throw new Error(style);
        });
        port2.start();
        port1.postMessage(1);
        port1.close();
        await once(port2, 'close');
        say(style, failed.join());
      }
      await new Promise(setImmediate);
      clearInterval(alive);
      say(uncaught.length);
    });
    assert.deepEqual(
      end,
      quietly(
        'on on', 'once once', 'onmessage onmessage', 'addEventListener addEventListener', 'handleEvent handleEvent',
        'a promise a promise', '6',
      ),
    );
  });

  test('where nothing asks for failures they are as they were', async () => {
    const end = await run(async ({ say, once }) => {
      const { MessageChannel } = require('node:worker_threads');
      const { coverListeners } = require('./lib/runtime/listener-failures');
      const { port1, port2 } = new MessageChannel();
      coverListeners(port2, () => undefined);
      port2.once('message', (value) => say(value));
      port1.postMessage('a value');
      port1.close();
      await once(port2, 'close');
    });
    assert.deepEqual(end, quietly('a value'));
  });
});
