'use strict';

/**
 * Times that the documentation promises. What a machine adds to every measurement (the start and end of threads, other
 * programs) is measured as well, in turn with the code under test, and does not count.
 */

const assert = require('node:assert/strict');

/** Measurements of each in one try, of which a busy machine may spoil some. */
const ROUNDS = 5;
/** A machine may be busy for the whole of a try; what is too slow by itself is too slow in each. */
const TRIES = 4;

const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];

/** The time of an action, in ms. */
async function timeOf(action) {
  const began = performance.now();
  await action();
  return performance.now() - began;
}

/**
 * Asserts that the median of `measure` is at most `promised` above that of `beside`.
 *
 * @param {number} promised in ms
 * @param {(round: number) => Promise<number>} measure a time under test, in ms
 * @param {(round: number) => Promise<number>} beside the same without the code under test
 * @param {number} [rounds] of a try
 */
async function assertPromised(promised, measure, beside, rounds = ROUNDS) {
  const seen = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const [times, others] = [[], []];
    for (let round = 0; round < rounds; round++) {
      others.push(await beside(round));
      times.push(await measure(round));
    }
    if (median(times) <= promised + median(others)) return;
    seen.push(`${times.map(Math.round)} beside ${others.map(Math.round)}`);
  }
  assert.fail(`more than the promised ${promised} ms: ${seen.join('; ')}`);
}

module.exports = { assertPromised, timeOf };
