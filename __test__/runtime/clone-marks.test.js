'use strict';

// lib/runtime/clone-marks.js: what Node's structured clone knows of an object. What is marked as uncloneable is tested in
// ../worker/uncloneable.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('marks of structured clone', (run) => {
  test("stand on Node's own classes", async () => {
    const end = await run(({ say }) => {
      const { CLONED, TRANSFERRED, ownMarksOf } = require('./lib/runtime/clone-marks');
      say((ownMarksOf(Blob.prototype) & CLONED) !== 0, (ownMarksOf(ReadableStream.prototype) & TRANSFERRED) !== 0);
      say(ownMarksOf(Object.prototype), ownMarksOf(class {}.prototype));
    });
    assert.deepEqual(end, quietly('true true', '0 0'));
  });

  test('of `markAsUncloneable` are seen from when the package is loaded', async (t) => {
    const end = await run(({ say }) => {
      const workerThreads = require('node:worker_threads');
      const { markAsUncloneable: early } = workerThreads;
      if (early === undefined) return say('none');
      const { isUncloneable, marks } = require('./lib/runtime/clone-marks');
      const [one, two] = [{ n: 1 }, { n: 2 }];
      early(one);
      say(marks.some, isUncloneable(one));
      workerThreads.markAsUncloneable(two);
      say(marks.some, isUncloneable(two), isUncloneable(one));
      // Node knows both.
      for (const object of [one, two]) {
        try {
          structuredClone(object);
        } catch ({ name }) {
          say(name);
        }
      }
    });
    if (end.stdout === 'none\n') return t.skip('this Node has no such function');
    assert.deepEqual(end, quietly('false false', 'true true false', 'DataCloneError', 'DataCloneError'));
  });

  test('without the function nothing is marked, and objects are asked for none', async () => {
    const end = await run(({ say }) => {
      delete require('node:worker_threads').markAsUncloneable;
      const { markAsUncloneable, marks } = require('./lib/runtime/clone-marks');
      say(typeof markAsUncloneable, marks.some);
    });
    assert.deepEqual(end, quietly('undefined false'));
  });
});
