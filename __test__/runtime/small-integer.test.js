'use strict';

// lib/runtime/small-integer.js: an integer that has crossed is one that V8 computes with as an integer, whichever way it came.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

const NATIVES = { execArgv: ['--allow-natives-syntax'] };
const INTEGERS = [27, 0, -5, 2 ** 30 - 1, -(2 ** 30)];

onEachNode('integers', (run) => {
  test('V8 reads them from a Float64Array as doubles, and makes them small integers again by `| 0`', async () => {
    const end = await run(({ say }) => {
      const { smallInteger } = require('./lib/runtime/small-integer');
      const isSmall = new Function('value', 'return %IsSmi(value)');
      const read = Float64Array.of(27)[0];
      say(isSmall(read), isSmall(smallInteger(read)));
    }, NATIVES);
    assert.deepEqual(end, quietly('false true'));
  });

  test('inputs, results, reports, maps and messages', async () => {
    const end = await run(async ({ load, say }, integers) => {
      const { MessageChannel, WorkerPool } = load();
      const isSmall = new Function('value', 'return %IsSmi(value)');
      const pool = new WorkerPool('./__test__/fixtures/scripts/small-integers.js', 1);
      const large = [];
      const check = (way, value, small) => small || large.push(`${value} ${way}`);
      const { port1, port2 } = new MessageChannel();
      for (const n of integers) {
        check('as an input', n, await pool.run('isSmall', n));
        check('with options', n, await pool.run('isSmall', n, { timeout: 60_000 }));
        check('in an object', n, await pool.run('isSmall', { n }));
        check('of a map', n, (await pool.map('isSmall', [n]))[0]);
        check('as a result', n, isSmall(await pool.run('same', n)));
        check('as a result with options', n, isSmall(await pool.run('same', n, { timeout: 60_000 })));
        check('as a result of a map', n, (await pool.map('same', [n, n])).every(isSmall));
        check('as a native result', n, isSmall(await pool.run('native:echo', n)));
        check('as a native result with options', n, isSmall(await pool.run('native:echo', n, { timeout: 60_000 })));
        check('as a native result of a map', n, (await pool.map('native:echo', [n, n])).every(isSmall));
        // After a fraction: what stands where a double has stood may become one.
        const reports = [];
        await pool.run('report', [0.5, n], { onProgress: (value) => reports.push([value]) });
        check('as a report', n, isSmall(reports[1][0]));
        port1.postMessage(0.5);
        port1.postMessage(n);
        await port2.receive();
        check('as a message', n, isSmall(await port2.receive()));
      }
      say(large.length === 0 ? 'all are small' : large.join(', '));
      port1.close();
      await pool.close();
    }, { ...NATIVES, args: [INTEGERS] });
    assert.deepEqual(end, quietly('all are small'));
  });

  test('other numbers are as they were', async () => {
    const end = await run(async ({ load, say }) => {
      const { WorkerPool } = load();
      const pool = new WorkerPool('./__test__/fixtures/scripts/small-integers.js', 1);
      const numbers = [-0, NaN, Infinity, -Infinity, 0.5, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, Number.MIN_VALUE];
      const changed = [];
      for (const way of ['same', 'native:echo']) {
        for (const options of [undefined, { timeout: 60_000 }]) {
          for (const n of numbers) if (!Object.is(await pool.run(way, n, options), n)) changed.push(`${n} by ${way}`);
        }
      }
      say(changed.length === 0 ? 'the same' : changed.join(', '));
      await pool.close();
    }, NATIVES);
    assert.deepEqual(end, quietly('the same'));
  });
});
