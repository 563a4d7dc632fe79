'use strict';

// The event loop stays free: it turns, however fast answers make new tasks. Counted in answers, not in time: a loop that
// answers starve comes to its next turn after the last of them, on any machine.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: nextTurn } = require('node:timers/promises');

const { WorkerPool } = require('rust-workers');

const MIB = 1024 * 1024;

/**
 * Runs `total` tasks, `lanes` at a time, each lane its next one when it has been answered; the most answers between two
 * turns of the loop.
 */
async function mostBetweenTurns(total, lanes, task, input) {
  const pool = new WorkerPool({ maxThreads: 2 });
  let submitted = 0;
  let answers = 0;
  const lane = async () => {
    while (submitted < total) {
      submitted++;
      await pool.run(task, input);
      answers++;
    }
  };
  const running = Array.from({ length: lanes }, lane);
  let most = 0;
  for (let last = 0; answers < total; last = answers) {
    await nextTurn();
    most = Math.max(most, answers - last);
  }
  await Promise.all(running);
  await pool.close();
  return most;
}

// A batch is 4 MiB of answers, and there are as many of them as a turn's two milliseconds have room for: up to 500 answers.
for (const [what, size] of [['are copied', MIB - 1], ['are not copied', MIB]]) {
  test(`with answers that are large and ${what}, each followed by the next task`, async () => {
    const most = await mostBetweenTurns(4_000, 8, 'echo', new Uint8Array(size));
    assert.ok(most < 2_000, `${most} of 4,000 between two turns`);
  });
}

test('with many small answers, each followed by the next task', async () => {
  // A batch is 1,024 of them.
  const most = await mostBetweenTurns(200_000, 2_000, 'noop');
  assert.ok(most < 20_000, `${most} of 200,000 between two turns`);
});

test('thousands of large answers at once are delivered in parts', async () => {
  const most = await mostBetweenTurns(1_000, 1_000, 'echo', new Uint8Array(MIB / 4));
  assert.ok(most < 200, `${most} of 1,000 between two turns`);
});
