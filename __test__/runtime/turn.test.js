'use strict';

// lib/runtime/turn.js: `process._tickCallback`, and whether AsyncLocalStorage is made of async hooks.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

/** Three messages that wait; what their listener leaves to be run comes before the next of them. */
const messages = async ({ load, say, once }) => {
  const { MessageChannel } = load();
  const { port1, port2 } = new MessageChannel();
  for (const n of [1, 2, 3]) port1.postMessage(n);
  port1.close();
  const seen = [];
  port2.on('message', (n) => {
    seen.push(n);
    process.nextTick(() => seen.push(`tick ${n}`));
    Promise.resolve().then(() => seen.push(`promise ${n}`));
  });
  await once(port2, 'close');
  say(seen.join(', '));
};
const IN_ORDER = '1, tick 1, promise 1, 2, tick 2, promise 2, 3, tick 3, promise 3';

onEachNode('the turn', (run) => {
  test('Node has `_tickCallback`, which runs ticks and microtasks', async () => {
    const end = await run(({ say }) => {
      const { canSettle, settle } = require('./lib/runtime/turn');
      process.nextTick(() => say('tick'));
      Promise.resolve().then(() => say('promise'));
      settle();
      say(canSettle, 'after');
    });
    assert.deepEqual(end, quietly('tick', 'promise', 'true after'));
  });

  test('without a warning where it is deprecated', async () => {
    const end = await run(
      ({ say }) => {
        const { settle } = require('./lib/runtime/turn');
        process.nextTick(() => say('tick'));
        settle();
        say('after');
      },
      { execArgv: ['--pending-deprecation', '--throw-deprecation'] },
    );
    assert.deepEqual(end, quietly('tick', 'after'));
  });

  test('messages arrive in order with it, and without', async () => {
    assert.deepEqual(await run(messages), quietly(IN_ORDER));
    const without = `(prelude) => {
      process._tickCallback = undefined;
      prelude.say(require('./lib/runtime/turn').canSettle);
      return (${messages})(prelude);
    }`;
    assert.deepEqual(await run(without), quietly('false', IN_ORDER));
  });

  test('a fresh context from Node 24 on, where AsyncLocalStorage is not made of hooks', async () => {
    const end = await run(({ say }) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const { freshContext } = require('./lib/runtime/turn');
      const [major] = process.versions.node.split('.').map(Number);
      const inFresh = freshContext();
      say((inFresh !== undefined) === (major >= 24));
      const storage = new AsyncLocalStorage();
      say(inFresh === undefined || storage.run(1, () => inFresh(() => storage.getStore())) === undefined);
      AsyncLocalStorage.snapshot = undefined;
      say(freshContext() === undefined);
    });
    assert.deepEqual(end, quietly('true', 'true', 'true'));
  });
});
