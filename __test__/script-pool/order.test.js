'use strict';

// One order for all that a task tells, whichever way each thing goes.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');
const { script } = require('../support/pools');

const odd = script('odd.js');
const KINDS = ['plain', 'instance', 'shared', 'bytes'];

test('reports of every kind come in order, all of them, and before the answer', async () => {
  const pool = new WorkerPool(odd, { maxThreads: 2 });
  for (let round = 0; round < 60; round++) {
    // Every sequence of kinds of length three, and more.
    const kinds = [round, round >> 2, round >> 4].map((bits) => KINDS[bits & 3]);
    const after = round % 2 === 0 ? 'plain' : 'instance';
    const got = [];
    const answer = await pool.run('steps', { count: 10, kinds, after }, { onProgress: ({ n }) => got.push(n) });
    got.push(answer.n);
    assert.deepEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], `${kinds}, answer ${after}`);
  }
  await pool.close();
});

test('the reports of tasks that were given up do not shift those of others', async () => {
  const pool = new WorkerPool(odd, { maxThreads: 1, killTimeout: Infinity });
  await pool.runTask(0);
  for (let round = 0; round < 20; round++) {
    const stop = new AbortController();
    const lost = pool.run('steps', { count: 6, kinds: KINDS, after: 'instance' }, {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    const got = [];
    const kept = pool.run('steps', { count: 6, kinds: [...KINDS].reverse(), after: 'instance' }, {
      onProgress: ({ n }) => got.push(n),
    });
    await assert.rejects(lost, { name: 'AbortError' });
    assert.equal((await kept).n, 6);
    assert.deepEqual(got, [0, 1, 2, 3, 4, 5]);
  }
  await pool.close();
});

test('what a worker told before it ended arrives', async () => {
  const pool = new WorkerPool(odd, { maxThreads: 1 });
  for (let round = 0; round < 10; round++) {
    const answers = [
      pool.run('steps', { count: 3, kinds: ['instance'], after: 'instance' }),
      pool.run('exit', 4).catch(({ exitCode }) => exitCode),
      pool.run('steps', { count: 2, kinds: ['shared'], after: 'instance' }),
    ];
    assert.deepEqual(await Promise.all(answers), [{ n: 3 }, 4, { n: 2 }]);
  }
  await pool.close();
});
