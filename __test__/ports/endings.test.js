'use strict';

// Threads and processes that end under load, in processes of their own: never a crash, never a hang.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const ROUNDS = Number(process.env.RW_TEST_ENDINGS ?? 20);
const script = path.join(__dirname, 'fixtures', 'endings.js');

/** How the process ended: `{ code, signal, output }`. */
function run(args, timeout) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { timeout, killSignal: 'SIGKILL' });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
}

test(`${ROUNDS} workers terminated at random moments under load`, { timeout: 1_000_000 }, async () => {
  const { code, signal, output } = await run(['terminate', String(ROUNDS)], 20_000 + ROUNDS * 2000);
  assert.deepEqual([code, signal, output.trim()], [0, null, 'done']);
});

test(`process.exit at ${ROUNDS} random moments under load`, { timeout: 1_000_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { code, signal, output } = await run(['exit', String(Math.random() * 25)], 30_000);
    assert.deepEqual([code, signal, output], [7, null, ''], `round ${round}`);
  }
});
