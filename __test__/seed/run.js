'use strict';

/** Runs an example of the seed as a user would: its own process, its folder as the working directory. */

const { spawn } = require('node:child_process');
const path = require('node:path');

const LIMIT = 60_000;

/**
 * @param {string} script path below this folder
 * @param {{ cwd?: string, lines?: number }} [options] `lines`: an example that waits for messages for ever is stopped
 *   once it has printed so many
 * @returns {Promise<{ code: number | null, stopped: boolean, stdout: string[], stderr: string }>}
 */
function run(script, { cwd, lines = Infinity } = {}) {
  const file = path.join(__dirname, script);
  const child = spawn(process.execPath, [file], {
    cwd: cwd ?? path.dirname(file),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    let stopped = false;
    const printed = () => stdout.split('\n').slice(0, -1);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      if (!stopped && printed().length >= lines) {
        stopped = true;
        child.kill();
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stopped, stdout: printed(), stderr }));
  });
}

module.exports = { run };
