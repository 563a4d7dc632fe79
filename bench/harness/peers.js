'use strict';

/**
 * The peers: npm packages of this folder's own, as its lockfile says, and the addon of async-task/, which cargo builds when a
 * contest first needs it. The project itself needs none of them.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { lacksIsolatedVm } = require('../light/isolated-vm');

const BENCH = path.join(__dirname, '..');
const CRATE = path.join(BENCH, 'async-task');
const ADDON = path.join(CRATE, 'target', 'async-task.node');

const SOURCES = ['src/lib.rs', 'Cargo.toml', 'Cargo.lock'];

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

function buildAddon() {
  process.stderr.write('bench: building async-task/\n');
  const { status, error } = spawnSync('cargo', ['build', '--release', '--locked', '--quiet'], {
    cwd: CRATE,
    // A shared target folder would put the library elsewhere.
    env: { ...process.env, CARGO_TARGET_DIR: path.join(CRATE, 'target') },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error || status !== 0) return `cargo cannot build async-task/: ${error?.message ?? `exit code ${status}`}`;
  const name = { win32: 'bench_async_task.dll', darwin: 'libbench_async_task.dylib' }[process.platform];
  fs.copyFileSync(path.join(CRATE, 'target', 'release', name ?? 'libbench_async_task.so'), ADDON);
  return undefined;
}

const isNewer = (file, than) => fs.statSync(file).mtimeMs > fs.statSync(than).mtimeMs;

/** What a contest or a rival may need, and why it cannot be had (undefined: it can). */
const NEEDS = {
  'async-task': () => {
    const current = fs.existsSync(ADDON) && SOURCES.every((file) => isNewer(ADDON, path.join(CRATE, file)));
    return current ? undefined : buildAddon();
  },
  'thread time': () =>
    process.platform === 'win32' ? 'async-task/ tells it only where there is clock_gettime' : lacks('async-task'),
  'isolated-vm': lacksIsolatedVm,
  light: () => {
    const { WorkerPool } = require('../..');
    return 'light' in WorkerPool.prototype ? undefined : 'this build has no light JavaScript';
  },
};

const found = new Map();

function lacks(need) {
  if (!found.has(need)) found.set(need, NEEDS[need]());
  return found.get(need);
}

module.exports = { ADDON, installPeers, lacks };
