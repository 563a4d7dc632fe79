'use strict';

// lib/runtime/garbage.js. What it is for is tested in ../script-pool/unsettled.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('garbage', (run) => {
  for (const [place, thread] of [['the main thread', '(program) => program(prelude)'], ['a Worker', 'start']]) {
    test(`of ${place} is collected, and what can be reached is not`, async () => {
      const end = await run(`(prelude) => {
        const { start } = prelude;
        (${thread})(({ say }) => {
          const { collectGarbage } = require('./lib/runtime/garbage');
          const kept = {};
          const references = [new WeakRef({}), new WeakRef(kept)];
          setImmediate(() => {
            say(collectGarbage(), references[0].deref() === undefined, references[1].deref() === kept);
            say(typeof gc, require('node:vm').runInNewContext('typeof gc'));
          });
        });
      }`);
      assert.deepEqual(end, quietly('true true true', 'undefined undefined'));
    });
  }
});
