'use strict';

// lib/runtime/worker-output.js: the streams of a worker's output. What it is for is tested in ../script-pool/output.test.js.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode("a worker's output", (run) => {
  test('has the streams that can be watched', async () => {
    const end = await run(async ({ start, once }) => {
      const worker = start(({ say }) => {
        for (const name of ['stdout', 'stderr']) {
          const { get, configurable } = Object.getOwnPropertyDescriptor(process, name);
          say(typeof get, configurable, typeof process[name]._writev);
        }
      });
      await once(worker, 'exit');
    });
    assert.deepEqual(end, quietly('function true function', 'function true function'));
  });

  test('of another kind is left alone', async () => {
    const end = await run(async ({ start, once }) => {
      const worker = start(({ say }) => {
        const { stdout, stderr } = process;
        stdout._writev = undefined;
        Object.defineProperty(process, 'stderr', { value: stderr, configurable: true });
        const { flushOutput, watchOutput } = require('./lib/runtime/worker-output');
        watchOutput();
        flushOutput();
        say(process.stdout === stdout, process.stdout._writev, Object.hasOwn(Object.getOwnPropertyDescriptor(process, 'stderr'), 'get'));
      });
      await once(worker, 'exit');
    });
    assert.deepEqual(end, quietly('true  false'));
  });
});
