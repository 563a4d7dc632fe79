'use strict';

/** Rivals take turns, round for round, so that whatever the machine does beside it meets all of them alike. */

const { setTimeout: after } = require('node:timers/promises');

const ROUNDS = 7;
const QUICK_ROUNDS = 1;
const STOP_MS = 5_000;

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Calls `work(index)` so that `window` promises are under way at any time, `count` in all.
 *
 * @returns {Promise<number>} calls a second
 */
async function perSecond(count, window, work) {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: window }, lane));
  return count / ((performance.now() - started) / 1000);
}

/**
 * As `perSecond`, for a time instead of a number: where rivals differ tenfold, a number that suits the slow is over
 * for the fast before the engine has warmed up.
 *
 * @returns {Promise<number>} calls a second
 */
async function perSecondFor(milliseconds, window, work) {
  let done = 0;
  const started = performance.now();
  const until = started + milliseconds;
  const lane = async () => {
    while (performance.now() < until) {
      await work();
      done++;
    }
  };
  await Promise.all(Array.from({ length: window }, lane));
  return done / ((performance.now() - started) / 1000);
}

/** @returns {Promise<number>} milliseconds that `work` took */
async function millis(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/**
 * Medians of single calls one after the other, in microseconds.
 *
 * @param {number} count
 * @param {() => Promise<unknown>} work
 */
async function latency(count, work) {
  const times = [];
  for (let i = 0; i < count; i++) times.push((await millis(work)) * 1000);
  return median(times);
}

/** The result of a contest. `ratio` is how many times better the first entry is than this one. */
function summary({ title, unit, better, note }, rounds, figures) {
  const first = median(figures[0].numbers);
  const entries = figures.map(({ name, note: remark, numbers }) => {
    const middle = median(numbers);
    const ratio = better === 'more' ? first / middle : middle / first;
    return { name, note: remark, median: middle, min: Math.min(...numbers), max: Math.max(...numbers), ratio };
  });
  return { title, unit, better, note, rounds, entries };
}

/**
 * @param {object} contest see ../README.md
 * @param {{ quick: boolean }} options
 */
async function hold(contest, { quick }) {
  const rounds = quick ? QUICK_ROUNDS : (contest.rounds ?? ROUNDS);
  const entries = await contest.entries({ quick });
  for (const entry of entries) await entry.start?.();
  const figures = entries.map(({ name, note }) => ({ name, note, numbers: [] }));
  for (let round = 0; round < (contest.warmups ?? 1); round++) for (const entry of entries) await entry.round();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      // Another one begins each time: no entry always follows the same rival.
      const at = (turn + round) % entries.length;
      figures[at].numbers.push(await entries[at].round());
    }
  }
  // The process ends after this, so a peer whose stop hangs (piscina's destroy has) need not be waited for.
  for (const entry of entries) await Promise.race([entry.stop?.(), after(STOP_MS, undefined, { ref: false })]);
  return summary(contest, rounds, figures);
}

module.exports = { hold, latency, median, millis, perSecond, perSecondFor };
