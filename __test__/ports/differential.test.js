'use strict';

// Random programs on Node's ports and on ours, side by side; and on what only ours have, beside a model. A failure
// prints its seed: RW_TEST_SEED=… runs it again, RW_TEST_PROGRAMS=… runs more of them.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { runNode } = require('../support/child');

const seed = Number(process.env.RW_TEST_SEED ?? Date.now() % 1e9);
const programs = Number(process.env.RW_TEST_PROGRAMS ?? 150);

/** Runs a fixture in a process of its own: its listeners throw. */
const hunt = (fixture) =>
  runNode([path.join(__dirname, 'fixtures', fixture), seed, programs].map(String), { timeout: 570_000 });

for (const [fixture, what] of [
  ['differential.js', "random programs see on our ports what they see on Node's"],
  ['model.js', 'random programs of receive, send, iterators and capacities are as the model says'],
  ['wandering.js', 'while both ends wander between threads each message arrives once, in order'],
]) {
  test(`${what} (RW_TEST_SEED=${seed})`, { timeout: 600_000 }, async () => {
    const { code, signal, stdout, stderr } = await hunt(fixture);
    assert.deepEqual([code, signal], [0, null], `${stdout}${stderr}`);
  });
}
