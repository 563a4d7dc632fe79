'use strict';

/**
 * The figures that README.md and the pages state, all of them from bench/results/. A page has a figure between two comments:
 *
 *     <!-- figure: script-tasks -->420,000<!-- end -->
 */

const fs = require('node:fs');
const path = require('node:path');

const RESULTS = path.join(__dirname, '..', '..', 'bench', 'results');

const SMALL_TASKS = 'tasks with a small object in and out, 5,000 in flight, 2 workers';
const STARTED = 'start of 64 threads, each having answered';
const MEMORY = 'memory of 64 threads, each having answered';
const SORT = 'sorting a million random doubles';
const NOOP = 'no-op tasks, 20,000 in flight';
const ONE_BY_ONE = 'latency of one such task after the other, bound to one core';
const SMALL_HASH = 'sha256 of one buffer of 64 bytes, alone';

const read = (name) => JSON.parse(fs.readFileSync(path.join(RESULTS, `${name}.json`), 'utf8'));

/** Two significant digits, with commas: 419,721 is 420,000, and 8.45 is 8.5. */
function round(number) {
  const digits = Math.max(0, 1 - Math.floor(Math.log10(number)));
  return Number(number.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: digits });
}

function median(results, title, name) {
  const entry = results.contests.find((contest) => contest.title === title)?.entries.find((one) => one.name === name);
  if (entry === undefined) throw new Error(`bench/results has no '${title}' with '${name}'; run npm run bench`);
  return entry.median;
}

/** @returns {Map<string, string>} by name, as they are written */
function figures() {
  const [pool, scripts] = [read('pool'), read('scripts')];
  const of = (results, title, name) => round(median(results, title, name));
  const tasks = (name) => median(scripts, SMALL_TASKS, name);
  const peers = ['piscina', 'piscina, 64 tasks a worker', 'tinypool', 'workerpool', 'poolifier'];
  const best = Math.max(...peers.map(tasks));
  const found = new Map([
    ['script-tasks', round(tasks('rust-workers'))],
    ['script-tasks-best-peer', round(best)],
    ['worker_threads-tasks', round(tasks('worker_threads by hand'))],
    ['native-tasks', of(pool, NOOP, 'rust-workers')],
    ['native-start', round((median(pool, STARTED, 'rust-workers') / 64) * 1000)],
    ['worker-start', round(median(pool, STARTED, 'worker_threads') / 64)],
    ['native-memory', of(pool, MEMORY, 'rust-workers')],
    ['worker-memory', round(median(pool, MEMORY, 'worker_threads') / 1024)],
    ['sort', of(pool, SORT, 'rust-workers')],
    ['sort-js', of(pool, SORT, 'Float64Array.prototype.sort, blocking')],
    ['script-latency', of(scripts, ONE_BY_ONE, 'rust-workers')],
    ['script-latency-piscina', of(scripts, ONE_BY_ONE, 'piscina')],
    ['small-hash', of(pool, SMALL_HASH, 'rust-workers')],
    ['small-hash-node', of(pool, SMALL_HASH, 'crypto.createHash')],
    // The commit stands in bench/README.md.
    ['measured', scripts.environment.line.replace(`, ${scripts.environment.commit}`, '')],
  ]);
  for (const peer of peers) found.set(`${peer.replace(/, .*/, '-64')}-tasks`, round(tasks(peer)));
  return found;
}

/** The bars of the plot: `[name, tasks a second]`, the most first. */
function bars() {
  const scripts = read('scripts');
  return [
    'rust-workers',
    'worker_threads by hand',
    'poolifier',
    'piscina, 64 tasks a worker',
    'piscina',
    'tinypool',
    'workerpool',
  ]
    .map((name) => [name, median(scripts, SMALL_TASKS, name)])
    .sort(([, one], [, other]) => other - one);
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

module.exports = { bars, figures, fill, round };
