'use strict';

/**
 * Starts each pair of a contest in a process of its own: what one rival does to heap and threads touches no other. (In one
 * process with five other pools, the native pool was 1.4 times slower than beside nothing.)
 */

const { spawnSync } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

const { environment } = require('./environment');
const { median } = require('./measure');

const CHILD = path.join(__dirname, 'child.js');
/** File descriptor on which the child writes its result. */
const RESULT_FD = 3;

const PAIR_MS = 10 * 60_000;

/** Whether this system can bind a process to one core as we know how. */
const canPin = process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0;

function runPair(bench, index, contest, which, options) {
  const { execArgv = [], pinned = false, env = {} } = contest;
  const node = [process.execPath, ...execArgv, CHILD, bench, String(index), which.join(), JSON.stringify(options)];
  // The last core: the first serves most interrupts.
  const core = String(os.cpus().length - 1);
  const [command, ...args] = pinned ? ['taskset', '-c', core, ...node] : node;
  const { status, signal, output } = spawnSync(command, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...env },
    // A peer that loses a promise would hold up all the rest.
    timeout: PAIR_MS,
  });
  if (status !== 0) {
    const names = which.map((at) => contest.rivals[at].name).join(' and ');
    throw new Error(`"${contest.title}" of ${bench}, ${names}: ended with ${signal ?? `exit code ${status}`}`);
  }
  return JSON.parse(output[RESULT_FD]);
}

/** The first rival has been in every pair: its columns are the medians of theirs, its range is that of all. */
function together(all) {
  return Object.fromEntries(
    Object.keys(all[0]).map((name) => {
      const of = (key) => all.map((columns) => columns[name][key]);
      return [name, { median: median(of('median')), min: Math.min(...of('min')), max: Math.max(...of('max')) }];
    }),
  );
}

/**
 * @param {string} bench name of the file
 * @param {number} index of the contest in it
 * @param {object} contest
 * @param {{ rounds?: number, among?: (rival: object) => boolean, lacks: (need: string) => string | undefined }} options
 *   `among`: which rivals take part; `lacks`: why something that a rival needs cannot be had
 * @returns {object} the result, as it stands in results/
 */
function runContest(bench, index, contest, { lacks, among = () => true, ...options }) {
  const { title, unit, better, note, shown, rivals, pinned } = contest;
  const lacking = pinned && !canPin ? 'there is no taskset' : contest.needs && lacks(contest.needs);
  if (lacking) return { title, skipped: lacking };
  const measured = environment();
  const canRun = (rival) => among(rival) && !(rival.needs && lacks(rival.needs));
  const others = rivals.map((_, at) => at).filter((at) => at > 0 && canRun(rivals[at]));
  const pairs = others.length > 0 ? others.map((at) => [0, at]) : [[0]];
  const results = pairs.map((which) => runPair(bench, index, contest, which, options));
  const entry = (at, columns, more) => {
    const { name, note: remark, library } = rivals[at];
    const { value, ...also } = columns;
    return { name, note: remark, library, ...value, also, ...more };
  };
  const entries = [
    entry(0, together(results.map(({ columns }) => columns[0]))),
    ...others.map((at, pair) =>
      entry(at, results[pair].columns[1], { ratio: results[pair].ratio, beside: results[pair].columns[0].value.median }),
    ),
  ];
  return { title, unit, better, note, shown, rounds: results[0].rounds, measured, entries };
}

module.exports = { runContest, RESULT_FD };
