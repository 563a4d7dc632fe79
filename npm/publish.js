'use strict';

/**
 * Publishes the packages of target/npm/packages, the platforms first: whoever installs the package itself finds them. What is
 * published already is passed over, so that a release that broke off can be finished.
 *
 *     node npm/publish.js [--from FOLDER] --provenance --access public
 *
 * The words after it go to npm.
 */

const fs = require('node:fs');
const path = require('node:path');

const { runNpm } = require('../lib/install/npm');
const { PLATFORMS, packageOf } = require('../lib/native/platforms');
const { PACKAGES, ROOT } = require('./places');

const { name, version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

function npm(args, stdio) {
  const { status, error, stdout } = runNpm(args, { stdio });
  if (error) throw error;
  return { isDone: status === 0, stdout };
}

/** Whether the registry has this version of a package. No package, and no such version, are both an error of npm's. */
function isPublished(packageName) {
  const { isDone, stdout } = npm(['view', `${packageName}@${version}`, 'version'], ['ignore', 'pipe', 'ignore']);
  return isDone && stdout.trim() === version;
}

const isElsewhere = process.argv[2] === '--from';
const folder = isElsewhere ? process.argv[3] : PACKAGES;
const words = process.argv.slice(isElsewhere ? 4 : 2);

for (const packageName of [...Object.keys(PLATFORMS).map(packageOf), name]) {
  const file = path.join(folder, `${packageName}-${version}.tgz`);
  if (!fs.existsSync(file)) {
    process.stderr.write(`rust-workers: ${file} is missing: node npm/pack.js --all makes it\n`);
    process.exit(1);
  }
  if (isPublished(packageName)) {
    process.stdout.write(`${packageName} ${version} is published already\n`);
    continue;
  }
  const { isDone } = npm(['publish', file, ...words], ['ignore', 'inherit', 'inherit']);
  if (!isDone) process.exit(1);
}
