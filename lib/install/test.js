'use strict';

/**
 * Runs node's test runner over the test files, or over those that are named on the command line:
 *
 *     npm test -- __test__/errors.test.js
 *
 * The files are listed here because Node 20's runner takes no glob.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ROOT } = require('./paths');

/** Folders under __test__ that hold what tests use, not tests; or tests that a script of .ci runs, with packages of their own. */
const NOT_TESTS = new Set(['bullmq', 'bundlers', 'fixtures', 'frameworks', 'runtimes', 'support', 'types', 'node_modules']);

/** The test files under a folder, in order of name. */
function testFiles(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) return NOT_TESTS.has(entry.name) ? [] : testFiles(file);
      return /\.test\.m?js$/.test(entry.name) ? [path.relative(ROOT, file)] : [];
    });
}

function main() {
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : testFiles(path.join(ROOT, '__test__'));
  if (files.length === 0) throw new Error('no test file was found under __test__');
  const { status, signal } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (signal) process.stderr.write(`The test runner was ended by ${signal}.\n`);
  process.exitCode = status ?? 1;
}

main();
