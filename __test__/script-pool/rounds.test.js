'use strict';

// Making, using and destroying pools again and again leaves nothing behind.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { WorkerPool } = require('rust-workers');

/** 1,000 take minutes: RW_ROUNDS=1000. */
const ROUNDS = Number(process.env.RW_ROUNDS ?? 100);
const functions = path.join(__dirname, '..', 'fixtures', 'scripts', 'functions.js');

const MIB = 1024 * 1024;

async function round(number) {
  const pool = new WorkerPool(functions, 1);
  const runs = [pool.runTask({ number }), pool.run('add', { a: number, b: 1 })];
  assert.deepEqual(await Promise.all(runs), [{ number }, number + 1]);
  await (number % 2 === 0 ? pool.close() : pool.destroy());
}

test(`${ROUNDS} rounds of create, use and destroy keep memory flat`, { timeout: ROUNDS * 2_000 }, async (t) => {
  const settle = Math.ceil(ROUNDS / 4);
  for (let i = 0; i < settle; i++) await round(i);
  const before = process.memoryUsage.rss();
  for (let i = settle; i < ROUNDS; i++) await round(i);
  const grown = process.memoryUsage.rss() - before;
  // Isolates come and go in the allocator's own time; a leak of one worker's memory each round would be 100s of MiB.
  const allowed = 32 * MIB + (ROUNDS - settle) * 40 * 1024;
  t.diagnostic(`grew by ${(grown / MIB).toFixed(1)} MiB in ${ROUNDS - settle} rounds`);
  assert.ok(grown < allowed, `grew by ${(grown / MIB).toFixed(1)} MiB in ${ROUNDS - settle} rounds`);
});
