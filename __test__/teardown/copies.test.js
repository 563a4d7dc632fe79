'use strict';

// More than one copy of the package's JavaScript in one environment, as test frameworks make them: the addon may stay
// while the modules are loaded anew, or be loaded anew too, or serve several realms.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

onEachNode('copies of the package in one environment', (run) => {
  for (const [what, withAddon] of [['which share the addon', false], ['with the addon loaded anew', true]]) {
    test(`${what}: the promises of each settle`, async () => {
      const end = await run(
        async ({ load, say }, anew) => {
          const copies = [];
          for (let i = 0; i < 3; i++) {
            copies.push(load());
            for (const name of Object.keys(require.cache)) {
              if (anew || !name.endsWith('.node')) delete require.cache[name];
            }
          }
          const pools = copies.map(({ WorkerPool }) => new WorkerPool({ maxThreads: 1 }));
          const runs = pools.map((pool, i) => pool.run('sleep', 50 - i).then(() => pool.run('echo', ['copy', i])));
          for (const answer of await Promise.all(runs)) say(...answer);
          const errors = pools.map((pool) => pool.run('panic', 'boom').catch((error) => error));
          (await Promise.all(errors)).forEach((error, i) => {
            say(copies.map(({ errors: { TaskPanickedError } }) => error instanceof TaskPanickedError).indexOf(true) === i);
          });
          say(new Set(copies.map(({ WorkerPool }) => WorkerPool)).size);
          for (const pool of pools) await pool.close();
        },
        { args: [withAddon] },
      );
      assert.deepEqual(end, quietly('copy 0', 'copy 1', 'copy 2', 'true', 'true', 'true', '3'));
    });
  }

  test('values of other realms cross, and what a realm loads itself works in it', async () => {
    const end = await run(async ({ load, say }) => {
      const vm = require('node:vm');
      const { isDeepStrictEqual } = require('node:util');
      const { WorkerPool } = load();
      const pool = new WorkerPool({ maxThreads: 1 });
      const foreign = vm.runInNewContext(`({
        date: new Date(5), map: new Map([[1, new Set([2])]]), list: [1, , 3], bytes: new Uint8Array([1, 2]),
        buffer: new ArrayBuffer(3), big: 10n ** 30n, error: new RangeError('foreign', { cause: 'none' }), nothing: null,
      })`);
      const echoed = await pool.run('echo', foreign);
      say(echoed.date instanceof Date, echoed.map.get(1) instanceof Set, echoed.list.length, echoed.bytes.join());
      say(echoed.buffer.byteLength, echoed.big, echoed.error instanceof RangeError, echoed.error.message, echoed.nothing);
      say(isDeepStrictEqual(Object.keys(echoed), Object.keys(foreign)));
      say(await pool.run('sort', vm.runInNewContext('new Float64Array([3, 1, 2])')));
      say(await pool.map('fibonacci', vm.runInNewContext('[10, 11]')));
      const given = vm.runInNewContext('new Uint8Array([9, 8, 7])');
      say((await pool.run('sort', given, { transfer: [given.buffer] })).join(), given.length);
      say(await pool.run('fibonacci', 12, vm.runInNewContext('({ priority: 3, timeout: 5000 })')));
      await pool.close();
    });
    assert.deepEqual(
      end,
      quietly('true true 3 1,2', `3 ${10n ** 30n} true foreign `, 'true', '1,2,3', '55,89', '7,8,9 0', '144'),
    );
  });
});
