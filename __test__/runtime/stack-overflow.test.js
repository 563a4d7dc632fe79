'use strict';

// lib/runtime/stack-overflow.js: V8's error of a stack that is used up.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('a stack that is used up', (run) => {
  test('is told by the message, also before it comes to that', async () => {
    const end = await run(({ say }) => {
      const { ensureStack, isStackOverflow } = require('./lib/runtime/stack-overflow');
      const thrownBy = (act) => {
        try {
          act();
        } catch (error) {
          return error;
        }
      };
      const dig = () => dig() + 1;
      say(isStackOverflow(thrownBy(dig)), isStackOverflow(thrownBy(() => structuredClone(nested(100_000)))));
      ensureStack();
      // Near the end of the stack it throws, though a small function can still be called.
      const near = () => {
        try {
          return near();
        } catch {
          return thrownBy(ensureStack);
        }
      };
      say(isStackOverflow(near()));
      function nested(levels) {
        let value = [];
        for (let i = 0; i < levels; i++) value = [value];
        return value;
      }
    });
    assert.deepEqual(end, quietly('true true', 'true'));
  });

  test('any other error is another', async () => {
    const end = await run(({ say }) => {
      const { isStackOverflow } = require('./lib/runtime/stack-overflow');
      say(isStackOverflow(new RangeError('Out of stack')), isStackOverflow(new Error('Maximum call stack size exceeded')));
    });
    assert.deepEqual(end, quietly('false false'));
  });
});
