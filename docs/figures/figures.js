'use strict';

/**
 * The figures that README.md and the pages state, all of them from bench/results/. A page has a figure between two comments:
 *
 *     <!-- figure: script-tasks -->420,000<!-- end -->
 */

const { line } = require('../../bench/harness/environment');
const { find } = require('../../bench/harness/results');
const { best, isLibrary } = require('../../bench/page/read');
const { lightFigures } = require('./light');

const SMALL_TASKS = ['scripts', 'tasks with a small object in and out, 5,000 in flight, 2 workers'];
const ONE_BY_ONE = ['scripts', 'one such task after the other, bound to one core'];
const NOOP = ['pool', 'no-op tasks, 20,000 in flight'];
const MAIN_THREAD = ['pool', 'main-thread time of a no-op, 20,000 in flight'];
const STARTED = ['start', 'start of 64 threads, each having answered'];
const MEMORY = ['start', 'memory of 64 threads, each having answered'];
const SORT = ['kernels', 'sorting a million random doubles, given away and back'];
const SMALL_HASH = ['kernels', 'sha256 of one buffer of 64 bytes, alone'];
const RECURSION = ['kernels', 'fibonacci(38), one thread'];
const DELAY = ['delay', 'event loop delay while 2 threads are busy with tasks of 1 ms, 99th percentile'];

/** Two significant digits, with commas: 419,721 is 420,000, and 8.45 is 8.5. */
function round(number) {
  const digits = Math.max(0, 1 - Math.floor(Math.log10(number)));
  return Number(number.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: digits });
}

function contest([bench, title]) {
  const result = find(bench, title);
  if (result === undefined || result.skipped)
    throw new Error(`bench/results has no '${title}'; run npm run bench -- ${bench}`);
  return result;
}

/** The row that has this name, or the first one. */
function median(which, name) {
  const { entries } = contest(which);
  const entry = name === undefined ? entries[0] : entries.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`'${which[1]}' has no '${name}'`);
  return entry.median;
}

/** @returns {Map<string, string>} by name, as they are written */
function figures() {
  const bestPeer = best(contest(SMALL_TASKS), isLibrary);
  return new Map([
    ['script-tasks', round(median(SMALL_TASKS))],
    ['script-tasks-best-peer', round(bestPeer.median)],
    ['script-tasks-best-peer-name', bestPeer.name],
    ['script-tasks-ratio', round(bestPeer.ratio)],
    ['worker_threads-tasks', round(median(SMALL_TASKS, 'worker_threads by hand'))],
    ['multithreading-tasks', round(median(SMALL_TASKS, 'multithreading'))],
    ['piscina-tasks', round(median(SMALL_TASKS, 'piscina'))],
    ['piscina-64-tasks', round(median(SMALL_TASKS, 'piscina, 64 tasks a worker'))],
    ['tinypool-tasks', round(median(SMALL_TASKS, 'tinypool'))],
    ['workerpool-tasks', round(median(SMALL_TASKS, 'workerpool'))],
    ['poolifier-tasks', round(median(SMALL_TASKS, 'poolifier'))],
    ['script-latency', round(median(ONE_BY_ONE))],
    ['script-latency-piscina', round(median(ONE_BY_ONE, 'piscina'))],
    ['script-latency-best-peer', round(best(contest(ONE_BY_ONE), isLibrary).median)],
    ['native-tasks', round(median(NOOP))],
    ['native-main-thread', round(median(MAIN_THREAD))],
    ['native-start', round((median(STARTED) / 64) * 1000)],
    ['worker-start', round(median(STARTED, 'worker_threads') / 64)],
    ['native-memory', round(median(MEMORY))],
    ['worker-memory', round(median(MEMORY, 'worker_threads') / 1024)],
    ['sort', round(median(SORT))],
    ['sort-js', round(median(SORT, 'Float64Array.prototype.sort, blocking'))],
    ['small-hash', round(median(SMALL_HASH))],
    ['small-hash-node', round(median(SMALL_HASH, 'crypto.createHash'))],
    ['native-recursion', round(median(RECURSION, 'the same in JavaScript in a Worker') / median(RECURSION))],
    ['native-sort', round(median(SORT, 'Float64Array.prototype.sort, blocking') / median(SORT))],
    ['loop-delay', round(median(DELAY))],
    ['loop-delay-piscina', round(median(DELAY, 'piscina'))],
    ['measured', line(contest(SMALL_TASKS).measured)],
    ...lightFigures(median, contest, round),
  ]);
}

const PLACE = /(<!-- figure: ([\w-]+) -->)[^<]*(<!-- end -->)/g;

/** A page's text with the figures as they are now. */
function fill(text, known = figures()) {
  // A line that begins with a comment ends the paragraph before it.
  if (/^<!-- figure:/m.test(text)) throw new Error('a figure must not be the first thing in a line');
  return text.replace(PLACE, (_, before, name, after) => {
    if (!known.has(name)) throw new Error(`there is no figure '${name}'`);
    return `${before}${known.get(name)}${after}`;
  });
}

module.exports = { fill };
