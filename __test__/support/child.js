'use strict';

/**
 * Programs in processes of their own, for what a test cannot do to itself: end, crash, be killed.
 *
 * A program is a function, given the prelude's exports; it is sent as text, so it sees nothing of the test's scope.
 * `onEachNode` defines its tests once for the node that runs them and once for each in RW_NODES, a list of
 * executables as PATH has it.
 */

const { spawn } = require('node:child_process');
const path = require('node:path');
const { describe } = require('node:test');

const ROOT = path.join(__dirname, '..', '..');
const PRELUDE = path.join(__dirname, 'prelude.js');
const TIMEOUT = 60_000;

/**
 * Runs `program` and waits for its end.
 *
 * @param {string} node executable
 * @param {Function} program
 * @param {{ args?: unknown[], execArgv?: string[], env?: object, under?: string[], timeout?: number }} [options]
 *   `args`: what the program is given beside the prelude, as JSON; `under`: a command that is to start node, such as
 *   `taskset -c 0`
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function runProgram(node, program, options = {}) {
  const { args: given = [], execArgv = [], env = {}, under = [], timeout = TIMEOUT } = options;
  const source = `(${program})(require(${JSON.stringify(PRELUDE)}), ...${JSON.stringify(given)})`;
  const [command, ...args] = [...under, node, ...execArgv, '-e', source];
  const child = spawn(command, args, {
    cwd: ROOT,
    // The test runner's own settings are not for the child.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Calls `define(run)` in a group of its own for each node: `run(program, options)` is `runProgram` on it. */
function onEachNode(title, define) {
  const others = (process.env.RW_NODES ?? '').split(path.delimiter).filter((node) => node !== '');
  for (const node of [process.execPath, ...others]) {
    const name = node === process.execPath ? title : `${title} [${path.relative(ROOT, node)}]`;
    describe(name, () => define((program, options) => runProgram(node, program, options)));
  }
}

/** What a program comes to that ends by itself having said `lines` and nothing else. */
function quietly(...lines) {
  return { code: 0, signal: null, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
}

module.exports = { onEachNode, quietly, runProgram };
