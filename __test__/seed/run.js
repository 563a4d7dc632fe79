'use strict';

/** Runs an example of the seed as a user would: its own process, its folder as the working directory. */

const path = require('node:path');

const { runNode } = require('../support/child');

/**
 * @param {string} script path below this folder
 * @param {{ cwd?: string, lines?: number }} [options] `lines`: an example that waits for messages for ever is stopped
 *   once it has printed so many
 * @returns {Promise<{ code: number | null, stopped: boolean, stdout: string[], stderr: string }>}
 */
async function run(script, { cwd, lines = Infinity } = {}) {
  const file = path.join(__dirname, script);
  const linesOf = (stdout) => stdout.split('\n').slice(0, -1);
  let stopped = false;
  const onOutput = (child, stdout) => {
    if (stopped || linesOf(stdout).length < lines) return;
    stopped = true;
    child.kill();
  };
  const { code, stdout, stderr } = await runNode([file], { cwd: cwd ?? path.dirname(file), onOutput });
  return { code, stopped, stdout: linesOf(stdout), stderr };
}

module.exports = { run };
