'use strict';

/** The peers are packages of this folder's own, as its lockfile says; the project itself does not need them. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const BENCH = path.join(__dirname, '..');

function areInstalled() {
  const { devDependencies } = require('../package.json');
  return Object.entries(devDependencies).every(([name, version]) => {
    const file = path.join(BENCH, 'node_modules', name, 'package.json');
    return fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')).version === version;
  });
}

function installPeers() {
  if (areInstalled()) return;
  process.stderr.write('bench: installing the peers\n');
  const { status, error } = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: BENCH,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) throw new Error(`npm ci in ${BENCH} failed: ${error?.message ?? `exit code ${status}`}`);
}

module.exports = { installPeers };
