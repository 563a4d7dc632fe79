'use strict';

/** What a round measures: completions, never submissions. */

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The number below which `share` of them are, 0 to 1. */
function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** @returns {Promise<number>} milliseconds that `work` took */
async function millis(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
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
  const took = await millis(() => Promise.all(Array.from({ length: window }, lane)));
  return count / (took / 1000);
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

/** Resolves when `count` calls of `run`, made at once, have all settled. */
function burst(count, run) {
  const promises = new Array(count);
  for (let i = 0; i < count; i++) promises[i] = run();
  return Promise.all(promises);
}

/**
 * One burst after the other, at least one and until the time is over.
 *
 * @param {number} milliseconds
 * @param {number} count tasks of a burst
 * @param {() => Promise<unknown>} once a burst
 * @returns {Promise<number>} tasks a second
 */
async function bursts(milliseconds, count, once) {
  const started = performance.now();
  let done = 0;
  let passed;
  do {
    await once();
    done += count;
    passed = performance.now() - started;
  } while (passed < milliseconds);
  return done / (passed / 1000);
}

/** Microseconds of each of `count` single calls, one after the other. */
async function times(count, work) {
  const all = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await work();
    all[i] = (performance.now() - started) * 1000;
  }
  return all;
}

/** @returns {Promise<number>} the median of such calls, in microseconds */
async function latency(count, work) {
  return median(await times(count, work));
}

module.exports = { burst, bursts, latency, median, millis, perSecond, perSecondFor, quantile, times };
