'use strict';

// Threads and processes that end under load, in processes of their own: never a crash, never a hang.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { quietly, runNode } = require('../support/child');

const ROUNDS = Number(process.env.RW_TEST_ENDINGS ?? 20);
const script = path.join(__dirname, 'fixtures', 'endings.js');

/** How the process ended: `{ code, signal, stdout, stderr }`. */
const run = (args, timeout) => runNode([script, ...args], { timeout });

test(`${ROUNDS} workers terminated at random moments under load`, { timeout: 1_000_000 }, async () => {
  const end = await run(['terminate', String(ROUNDS)], 20_000 + ROUNDS * 2000);
  assert.deepEqual(end, quietly('done'));
});

test(`process.exit at ${ROUNDS} random moments under load`, { timeout: 1_000_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const end = await run(['exit', String(Math.random() * 25)], 30_000);
    assert.deepEqual(end, { ...quietly(), code: 7 }, `round ${round}`);
  }
});
