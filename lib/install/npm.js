'use strict';

/** Runs npm: the one that runs this script, if one does. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/**
 * The script of npm, to be run without a shell: of pnpm and Yarn too there is an `npm_execpath`, and on Windows `npm` is a file for
 * the shell, beside which Node.js has the script.
 */
function scriptOf(env, platform) {
  if (/\bnpm-cli\.c?js$/.test(env.npm_execpath)) return env.npm_execpath;
  const beside = path.join(path.dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return platform === 'win32' && fs.existsSync(beside) ? beside : undefined;
}

/** A word for Windows' shell, which knows no other quotes. */
const quoted = (word) => (/[\s&|<>^()]/.test(word) ? `"${word}"` : word);

/** @returns {{ command: string, words: string[], shell: boolean }} what to give to `spawn` */
function npmCommand(args, { env = process.env, platform = process.platform } = {}) {
  const script = scriptOf(env, platform);
  if (script !== undefined) return { command: process.execPath, words: [script, ...args], shell: false };
  if (platform === 'win32') return { command: ['npm.cmd', ...args.map(quoted)].join(' '), words: [], shell: true };
  return { command: 'npm', words: args, shell: false };
}

/**
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
function runNpm(args, options = {}) {
  const { command, words, shell } = npmCommand(args);
  return spawnSync(command, words, { encoding: 'utf8', ...options, shell });
}

module.exports = { npmCommand, runNpm };
