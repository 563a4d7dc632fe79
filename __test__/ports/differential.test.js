'use strict';

// Random programs on Node's ports and on ours, side by side; and on what only ours have, beside a model. A failure
// prints its seed: RW_TEST_SEED=… runs it again, RW_TEST_PROGRAMS=… runs more of them.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const seed = Number(process.env.RW_TEST_SEED ?? Date.now() % 1e9);
const programs = Number(process.env.RW_TEST_PROGRAMS ?? 150);

/** Runs a fixture in a process of its own: its listeners throw. */
function hunt(fixture) {
  return new Promise((resolve) => {
    const args = [path.join(__dirname, 'fixtures', fixture), seed, programs].map(String);
    execFile(process.execPath, args, { timeout: 570_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), said: `${stdout}${stderr}` });
    });
  });
}

for (const [fixture, what] of [
  ['differential.js', "random programs see on our ports what they see on Node's"],
  ['model.js', 'random programs of receive, send, iterators and capacities are as the model says'],
  ['wandering.js', 'while both ends wander between threads each message arrives once, in order'],
]) {
  test(`${what} (RW_TEST_SEED=${seed})`, { timeout: 600_000 }, async () => {
    const { code, said } = await hunt(fixture);
    assert.equal(code, 0, said);
  });
}
