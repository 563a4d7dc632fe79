'use strict';

/** How long the event loop keeps a timer waiting: percentiles, and the course over time. */

const { createHistogram, performance } = require('node:perf_hooks');

/** The loop is looked at every so many milliseconds. */
const INTERVAL_MS = 1;
/** Beyond so many looks, two and two are put together. */
const MAX_LOOKS = 4096;

/** The larger of each two neighbours. */
function halve(numbers) {
  return Array.from({ length: Math.ceil(numbers.length / 2) }, (_, i) =>
    Math.max(numbers[2 * i], numbers[2 * i + 1] ?? 0),
  );
}

/**
 * Watches the event loop from now on.
 *
 * @returns {{ stop(): { p50: number, p99: number, max: number, course: number[] } }} milliseconds; `course` has the largest
 *   delay of each of many equal parts of the time; an empty loop has delays of some tenths of a millisecond
 */
function watchLoop() {
  const histogram = createHistogram();
  let looks = [];
  let perLook = 1;
  let pending = [];
  let last = performance.now();

  const look = () => {
    const now = performance.now();
    const delay = Math.max(0, now - last - INTERVAL_MS);
    last = now;
    histogram.record(Math.max(1, Math.round(delay * 1e6)));
    // A loop that was held up for long counts for as many looks as it missed: the course is one of time.
    for (let missed = 0; missed <= delay; missed += INTERVAL_MS) pending.push(delay);
    while (pending.length >= perLook) looks.push(Math.max(...pending.splice(0, perLook)));
    if (looks.length > MAX_LOOKS) {
      looks = halve(looks);
      perLook *= 2;
    }
  };
  const timer = setInterval(look, INTERVAL_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      if (pending.length > 0) looks.push(Math.max(...pending));
      const [p50, p99] = [50, 99].map((percent) => histogram.percentile(percent) / 1e6);
      return { p50, p99, max: histogram.max / 1e6, course: looks };
    },
  };
}

module.exports = { watchLoop };
