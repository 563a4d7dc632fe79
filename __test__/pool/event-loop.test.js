'use strict';

// The event loop stays free: timers get their turn, however fast answers make new tasks.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');

const { WorkerPool } = require('rust-workers');

/** Far more than a turn takes on a slow machine, and far less than a starved loop took: seconds to half a minute. */
const LONGEST_GAP = 700;

/** Keeps `lanes` tasks under way for half a second; the longest time between two ticks of a timer, in ms. */
async function longestGap(lanes, task, input) {
  const pool = new WorkerPool({ maxThreads: 2 });
  let over = false;
  const lane = async () => {
    while (!over) await pool.run(task, input);
  };
  const running = Array.from({ length: lanes }, lane);
  let longest = 0;
  const started = performance.now();
  for (let last = started; last - started < 500; ) {
    await after(1);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  over = true;
  await Promise.all(running);
  await pool.close();
  return longest;
}

test('with answers that are large, each followed by the next task', async () => {
  assert.ok((await longestGap(8, 'echo', new Uint8Array(1024 * 1024))) < LONGEST_GAP);
  assert.ok((await longestGap(8, 'echo', new Uint8Array(1024 * 1024 - 1))) < LONGEST_GAP);
});

test('with many small answers', async () => {
  assert.ok((await longestGap(2_000, 'noop')) < LONGEST_GAP);
});

test('thousands of large answers at once are delivered in parts', async () => {
  const pool = new WorkerPool({ maxThreads: 2 });
  const input = new Uint8Array(256 * 1024);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const runs = Array.from({ length: 1_000 }, () => pool.run('echo', input));
  await Promise.all(runs);
  clearInterval(timer);
  assert.ok(turns >= 5, `${turns} turns`);
  await pool.close();
});
