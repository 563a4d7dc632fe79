'use strict';

/** Times one way over all files, and how long the event loop kept others waiting meanwhile. */

const fs = require('node:fs/promises');
const { monitorEventLoopDelay, performance } = require('node:perf_hooks');

const { forEachBounded } = require('./files');

/** A small folder is gone through again until this much time was measured, in milliseconds. */
const MIN_MEASURED_MS = 2000;
const MAX_ROUNDS = 50;

/** The event loop is looked at every so many milliseconds. */
const RESOLUTION_MS = 1;

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Node records the time between two looks; what goes beyond the interval is the delay. In milliseconds. */
function delayOf(nanoseconds) {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

/**
 * Reads every file and computes its summary.
 *
 * @param {Array<{ name: string, size: number }>} files
 * @param {(bytes: Buffer) => Promise<string>} compute
 * @param {(size: number) => void} onDone after each file
 * @returns {Promise<string[]>} the summaries, in the order of the files; '' for a file that cannot be read
 *   any more
 */
async function summarise(files, compute, onDone) {
  const summaries = new Array(files.length).fill('');
  await forEachBounded(files, async ({ name, size }, index) => {
    const bytes = await fs.readFile(name).catch(() => undefined);
    if (bytes !== undefined) summaries[index] = await compute(bytes);
    onDone(size);
  });
  return summaries;
}

/**
 * @param {Array<{ name: string, size: number }>} files
 * @param {(bytes: Buffer) => Promise<string>} compute
 * @param {{ add(size: number): void, finish(): void }} progress
 * @returns {Promise<{ ms: number, rounds: number, p50: number, p99: number, max: number, summaries: string[]
 *   }>} `ms` is the median of the rounds; p50, p99 and max are delays of the event loop in milliseconds
 */
async function measure(files, compute, progress) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const times = [];
  let summaries;
  let total = 0;
  delay.enable();
  do {
    const onDone = times.length === 0 ? (size) => progress.add(size) : () => {};
    const start = performance.now();
    summaries = await summarise(files, compute, onDone);
    times.push(performance.now() - start);
    total += times.at(-1);
    if (times.length === 1) progress.finish();
  } while (total < MIN_MEASURED_MS && times.length < MAX_ROUNDS);
  delay.disable();
  const [p50, p99] = [delay.percentile(50), delay.percentile(99)].map(delayOf);
  return { ms: median(times), rounds: times.length, p50, p99, max: delayOf(delay.max), summaries };
}

module.exports = { measure };
