'use strict';

/** Times one way over all files, and how long the event loop kept others waiting meanwhile. */

const fs = require('node:fs/promises');
const { performance } = require('node:perf_hooks');

const { forEachBounded } = require('./files');
const { watchLoop } = require('./loop-delay');

/** A small folder is gone through again until this much time was measured, in milliseconds. */
const MIN_MEASURED_MS = 2000;
const MAX_ROUNDS = 50;

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
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
 * @returns {Promise<{ ms: number, rounds: number, delay: { p50: number, p99: number, max: number, course: number[] },
 *   summaries: string[] }>} `ms` is the median of the rounds; the delays of the event loop are milliseconds too
 */
async function measure(files, compute, progress) {
  const watch = watchLoop();
  const times = [];
  let summaries;
  let total = 0;
  do {
    const onDone = times.length === 0 ? (size) => progress.add(size) : () => {};
    const start = performance.now();
    summaries = await summarise(files, compute, onDone);
    times.push(performance.now() - start);
    total += times.at(-1);
    if (times.length === 1) progress.finish();
  } while (total < MIN_MEASURED_MS && times.length < MAX_ROUNDS);
  return { ms: median(times), rounds: times.length, delay: watch.stop(), summaries };
}

module.exports = { measure };
