'use strict';

// lib/runtime/external-strings.js: strings that V8 reads in memory that it did not allocate.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');
const { isOldNode } = require('../../lib/runtime/external-strings');

test('Nodes before 20.4 have none', () => {
  for (const version of ['18.20.0', '20.0.0', '20.3.1']) assert.ok(isOldNode(version), version);
  for (const version of ['20.4.0', '20.20.2', '22.0.0', '26.10.0']) assert.ok(!isOldNode(version), version);
});

onEachNode('external strings', (run) => {
  test('they are there, read the memory, and are let go of', async () => {
    const end = await run(async ({ say, until }) => {
      const { binding } = require('./lib/native');
      const { hasExternalStrings } = require('./lib/runtime/external-strings');
      const memory = new Uint8Array(new SharedArrayBuffer(64));
      memory.fill(0xe9, 8, 40);
      const wide = new Uint16Array(memory.buffer, 40, 4).fill(0x6f22);
      let texts = [binding.sharedString(memory, 8, 32, false), binding.sharedString(memory, 40, 8, true), binding.sharedString(memory, 0, 0, false)];
      say(hasExternalStrings, texts[0] === 'é'.repeat(32), texts[1] === '漢'.repeat(wide.length), texts[2] === '');
      texts = undefined;
      await until(() => (globalThis.gc(), binding.externalStringCount() === 0), 'they are let go of');
      const bad = [[memory, 0, 65, false], [memory, 65, 0, false], [memory, 1, 8, true], [memory, 0, 3, true], [memory.subarray(8), 0, 1, false], [new Uint8Array(8), 0, 1, false]];
      for (const args of bad) {
        try {
          say('not refused', binding.sharedString(...args).length);
        } catch (error) {
          say(error.code);
        }
      }
    }, { execArgv: ['--expose-gc'] });
    assert.deepEqual(end, quietly('true true true true', ...Array(6).fill('ERR_RW_INTERNAL')));
  });
});
