'use strict';

// lib/runtime/worker-options.js: when Node's Worker reads the data and the transfer list in its options.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode("a Worker's options", (run) => {
  test('are read when Node needs them: the list twice, by index, and then the data', async () => {
    const end = await run(async ({ say, once }) => {
      const { Worker } = require('node:worker_threads');
      const buffer = new ArrayBuffer(8);
      const reads = [];
      const elements = (time) =>
        new Proxy([buffer], {
          get(target, key) {
            if (typeof key === 'string') reads.push(`${time}.${key}`);
            return target[key];
          },
        });
      let times = 0;
      const options = {
        eval: true,
        get transferList() {
          return elements(++times);
        },
        get workerData() {
          reads.push('data');
          return buffer;
        },
      };
      const worker = new Worker('', options);
      await once(worker, 'exit');
      say(times, new Set(reads).size, ...new Set(reads), buffer.byteLength);
    });
    assert.deepEqual(end, quietly('2 3 2.length 2.0 data 0'));
  });

  test('are replaced at that moment, once', async () => {
    const end = await run(async ({ say, once }) => {
      const { Worker } = require('node:worker_threads');
      const { withReplacedData } = require('./lib/runtime/worker-options');
      const [listed, replacement] = [new ArrayBuffer(8), new ArrayBuffer(8)];
      const program = {
        eval: true,
        stdout: false,
        get env() {
          this.workerData.push('env');
          return undefined;
        },
        workerData: [],
        transferList: [listed],
      };
      const options = withReplacedData(program, (workerData, list) => {
        say(workerData.includes('env'), list.length, list[0] === listed);
        return { message: { replacement }, list: [replacement] };
      });
      const worker = new Worker(
        "require('worker_threads').parentPort.postMessage(require('worker_threads').workerData.replacement.byteLength)",
        options,
      );
      // The worker may end before a promise of its message is seen.
      const [[length]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      say(length, replacement.byteLength, listed.byteLength);
    });
    assert.deepEqual(end, quietly('true 1 true', '8 0 8'));
  });

  test('where a runtime reads the data first, the data is replaced without a list', async () => {
    const end = await run(({ say }) => {
      const { withReplacedData } = require('./lib/runtime/worker-options');
      const options = withReplacedData({ workerData: 1, transferList: [{}], other: 2 }, (workerData, list) => {
        say(workerData, list.length);
        return { message: 'replaced', list };
      });
      say(options.workerData, options.other, options.transferList.length, options.workerData);
    });
    assert.deepEqual(end, quietly('1 0', 'replaced 2 0 replaced'));
  });
});
