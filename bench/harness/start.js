'use strict';

/** Starts a contest in a process of its own: what one does to heap and threads touches no other. */

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const CHILD = path.join(__dirname, 'child.js');
/** File descriptor on which the child writes its result. */
const RESULT_FD = 3;

/** Whether this system can bind a process to one core as we know how. */
const canPin = process.platform === 'linux' && spawnSync('taskset', ['-V']).status === 0;

/**
 * @param {string} bench name of the file
 * @param {number} index of the contest in it
 * @param {object} contest
 * @param {boolean} quick
 * @returns {object} the result, as `contest.js` makes it
 */
function runContest(bench, index, contest, quick) {
  const { execArgv = [], pinned = false } = contest;
  if (pinned && !canPin) return { title: contest.title, skipped: 'needs taskset' };
  const node = [process.execPath, ...execArgv, CHILD, bench, String(index), ...(quick ? ['--quick'] : [])];
  const [command, ...args] = pinned ? ['taskset', '-c', '0', ...node] : node;
  const stdio = ['ignore', 'inherit', 'inherit', 'pipe'];
  const { status, signal, output } = spawnSync(command, args, { stdio, maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) {
    throw new Error(`the contest "${contest.title}" of ${bench} ended with ${signal ?? `exit code ${status}`}`);
  }
  return JSON.parse(output[RESULT_FD]);
}

module.exports = { runContest, RESULT_FD };
