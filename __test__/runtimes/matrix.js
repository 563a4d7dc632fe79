'use strict';

/** Runs the checks, each in a process of its own, and says how each ended. */

const { spawn, spawnSync } = require('node:child_process');
const path = require('node:path');

const RUN = path.join(__dirname, 'run-check.js');
/** After so many milliseconds a check hangs. The slowest takes a tenth of it on two busy cores. */
const LIMIT = 30_000;
/** How many run at a time. */
const AT_ONCE = 3;

/** @returns {{ file: string, area: string, name: string, code: number, stderr?: string }[]} */
function listChecks() {
  const { stdout, stderr, status } = spawnSync(process.execPath, [RUN, '--list'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the checks cannot be listed: ${stderr}`);
  return JSON.parse(stdout);
}

/** Runs a command to its end, or until the time is up. */
function run([command, ...args]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
  let stdout = '';
  let stderr = '';
  let isLate = false;
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, LIMIT);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr, isLate });
    });
  });
}

/** Why a check has not passed; undefined when it has. `kind`: what to tell apart in the declared differences. */
function failureOf(check, { code, signal, stdout, stderr, isLate }) {
  if (isLate) return { kind: 'hangs', text: `did not end within ${LIMIT / 1000} s\n${stdout}${stderr}` };
  if (signal !== null) return { kind: 'crashes', text: `was ended by ${signal}\n${stderr}` };
  // What shells and runtimes make of signals.
  if (code > 128) return { kind: 'crashes', text: `ended with code ${code}\n${stderr}` };
  if (code !== check.code) return { kind: 'fails', text: `ended with code ${code}, not ${check.code}\n${stderr}` };
  if (check.stderr !== undefined && !new RegExp(check.stderr).test(stderr)) {
    return { kind: 'fails', text: `did not print /${check.stderr}/\n${stderr}` };
  }
  const words = { 'work holds the process': 'slept\nexit\n' }[check.name] ?? 'done\n';
  if (check.code === 0 && !stdout.endsWith(words)) return { kind: 'fails', text: `did not come to its end\n${stdout}${stderr}` };
  return undefined;
}

/**
 * @param {string[]} command the runtime, with what stands before the program's file
 * @param {(check: object) => boolean} [wanted]
 * @returns {Promise<{ check: object, failure?: { kind: string, text: string }, milliseconds: number }[]>} in the checks' order
 */
async function runAll(command, wanted = () => true) {
  const checks = listChecks().filter(wanted);
  const results = [];
  let next = 0;
  const lane = async () => {
    while (next < checks.length) {
      const at = next++;
      const began = performance.now();
      const end = await run([...command, RUN, checks[at].file, checks[at].name]);
      results[at] = { check: checks[at], failure: failureOf(checks[at], end), milliseconds: performance.now() - began };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

module.exports = { listChecks, runAll };
