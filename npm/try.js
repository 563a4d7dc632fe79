'use strict';

/**
 * Installs the packages of target/npm/packages into an empty project, with no registry in reach, and runs programs there: on the
 * platform that is released, before it is.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { FILES, PROGRAMS } = require('../.ci/install/programs');
const { runNpm } = require('../lib/install/npm');
const { packageOf } = require('../lib/native/platforms');
const { triple } = require('../lib/native/triple');
const { version } = require('../package.json');
const { PACKAGES } = require('./places');

const project = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-try-'));

const options = { cwd: project, encoding: 'utf8', env: { ...process.env, RUST_WORKERS_BINARY: '', RUST_WORKERS_LIGHT: '' } };

function endOf({ status, error, stdout, stderr }) {
  if (error) throw error;
  return { status, stdout, stderr };
}

try {
  fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "app", "private": true }');
  for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(project, name), text);
  const files = [packageOf(triple()), 'rust-workers'].map((name) => path.join(PACKAGES, `${name}-${version}.tgz`));
  const installed = endOf(runNpm(['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...files], options));
  assert.equal(installed.status, 0, installed.stderr);
  for (const program of PROGRAMS) {
    assert.deepEqual(endOf(spawnSync(process.execPath, [program], options)), { status: 0, stdout: 'works\n', stderr: '' }, program);
  }
  process.stdout.write(`The packages of ${triple()} work on Node.js ${process.version}.\n`);
} finally {
  fs.rmSync(project, { recursive: true, force: true });
}
