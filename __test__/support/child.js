'use strict';

/**
 * Programs in processes of their own, for what a test cannot do to itself: end, crash, be killed.
 *
 * A program is a function, given the prelude's exports; it is sent as text, so it sees nothing of the test's scope.
 * `onEachNode` defines its tests once for the node that runs them and once for each in RW_NODES, a list of
 * executables as PATH has it.
 */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const path = require('node:path');
const { describe } = require('node:test');

const ROOT = path.join(__dirname, '..', '..');
const PRELUDE = path.join(__dirname, 'prelude.js');
const TIMEOUT = 60_000;

/**
 * Runs node to its end.
 *
 * @param {string[]} args
 * @param {object} [options]
 * @param {string} [options.node] executable; without it the one that runs the tests
 * @param {string[]} [options.under] a command that is to start node, such as `taskset -c 0`
 * @param {string} [options.cwd]
 * @param {object} [options.env] beside this process's own
 * @param {number} [options.timeout] after which it is killed, in ms
 * @param {(child: import('node:child_process').ChildProcess, stdout: string) => void} [options.onOutput] called with all
 *   that has been printed whenever there is more
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
function runNode(args, options = {}) {
  const { node = process.execPath, under = [], cwd = ROOT, env = {}, timeout = TIMEOUT, onOutput = () => {} } = options;
  const [command, ...rest] = [...under, node, ...args];
  const child = spawn(command, rest, {
    cwd,
    // The test runner's own settings are not for the child.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => onOutput(child, (stdout += text)));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/**
 * Runs `program` and waits for its end.
 *
 * @param {string} node executable
 * @param {Function | string} program
 * @param {object} [options] those of `runNode`, and
 * @param {unknown[]} [options.args] arguments of the program after the prelude, as JSON
 * @param {string[]} [options.execArgv]
 */
function runProgram(node, program, options = {}) {
  const { args = [], execArgv = [], ...rest } = options;
  const source = `(${program})(require(${JSON.stringify(PRELUDE)}), ...${JSON.stringify(args)})`;
  return runNode([...execArgv, '-e', source], { node, ...rest });
}

/**
 * Runs a text to its natural end; what it printed.
 *
 * @param {string} text
 * @param {object} [options] those of `runNode`, and
 * @param {string[]} [options.flags] of node
 */
async function evaluate(text, { flags = [], ...options } = {}) {
  const { code, signal, stdout, stderr } = await runNode([...flags, '-e', text], options);
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  return { stdout, stderr };
}

/** Calls `define(run)` in a group of its own for each node: `run(program, options)` is `runProgram` on it. */
function onEachNode(title, define) {
  const others = (process.env.RW_NODES ?? '').split(path.delimiter).filter((node) => node !== '');
  for (const node of [process.execPath, ...others]) {
    const name = node === process.execPath ? title : `${title} [${path.relative(ROOT, node)}]`;
    describe(name, () => define((program, options) => runProgram(node, program, options)));
  }
}

/** The result of a program that ends by itself and has printed `lines` and nothing else. */
function quietly(...lines) {
  return { code: 0, signal: null, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
}

module.exports = { ROOT, evaluate, onEachNode, quietly, runNode, runProgram };
