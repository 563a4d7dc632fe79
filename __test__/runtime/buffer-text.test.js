'use strict';

// lib/runtime/buffer-text.js: Buffers' undocumented methods between text and bytes, and what serves without.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('text of Buffers', (run) => {
  test('Node has the methods, and ours do the same', async () => {
    const end = await run(({ say }) => {
      const { bufferText } = require('./lib/runtime/intrinsics');
      const ours = require('./lib/runtime/buffer-text');
      const nodes = Buffer.prototype;
      say(bufferText === nodes, Object.keys(ours).every((name) => typeof nodes[name] === 'function'));
      const texts = ['', 'a', 'ä', '\ufeffx', '€uro', '\u{1f600}', '\ud83d', 'x\udc00y', 'long '.repeat(5000), 'ÿ'.repeat(9000)];
      const bytes = () => Buffer.alloc(100_000);
      for (const text of texts) {
        for (const name of ['ucs2Write', 'latin1Write']) {
          const [one, two] = [bytes(), bytes()];
          const written = nodes[name].call(one, text, 3, 60_000);
          if (ours[name].call(two, text, 3, 60_000) !== written || !one.equals(two)) say(name, text.length, text.slice(0, 9));
        }
        const buffer = Buffer.from(text, 'utf16le');
        for (const name of ['latin1Slice', 'ucs2Slice']) {
          if (ours[name].call(buffer, 0, buffer.length) !== nodes[name].call(buffer, 0, buffer.length)) say(name, text.length);
        }
      }
    });
    assert.deepEqual(end, quietly('true true'));
  });
});
