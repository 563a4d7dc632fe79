'use strict';

/** A course of delays as a line of blocks, one for each part of the time. */

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/** The lowest block is below 1 ms; each further one is twice as much, so that 0.5 and 50 ms both show. */
const LOWEST_MS = 1;
const COLUMNS = 48;

/** The block of a delay in milliseconds. */
function blockOf(ms) {
  const steps = ms < LOWEST_MS ? 0 : 1 + Math.floor(Math.log2(ms / LOWEST_MS));
  return BLOCKS[Math.min(steps, BLOCKS.length - 1)];
}

/**
 * @param {number[]} course delays of equal parts of the time
 * @param {number} [columns] how many blocks at the most
 * @returns {string} the mean delay of each column: of time, so that a loop that is held up for long counts for so long
 */
function sparkline(course, columns = COLUMNS) {
  const width = Math.min(columns, course.length);
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * course.length) / width);
    const to = Math.floor(((column + 1) * course.length) / width);
    return blockOf(course.slice(from, to).reduce((sum, ms) => sum + ms, 0) / (to - from));
  }).join('');
}

/**
 * @param {Array<{ label: string, course: number[] }>} ways
 * @returns {string} a line for each, and what the blocks mean
 */
function renderChart(ways) {
  const width = Math.max(...ways.map(({ label }) => label.length));
  const most = LOWEST_MS * 2 ** (BLOCKS.length - 2);
  return [
    'How long the event loop was held up, on average, from the start to the end:',
    ...ways.map(({ label, course }) => `  ${label.padEnd(width)}  ${sparkline(course)}`),
    `  ${' '.repeat(width)}  ${BLOCKS[0]} below ${LOWEST_MS} ms   ${BLOCKS.at(-1)} ${most} ms and more`,
  ].join('\n');
}

module.exports = { renderChart, sparkline };
