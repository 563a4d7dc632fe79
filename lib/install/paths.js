'use strict';

/** Where things are, and whether what was built is as new as what it was built from. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { fileOf, packageOf } = require('../native/platforms');
const { triple } = require('../native/triple');

/** The folder of package.json. */
const ROOT = path.join(__dirname, '..', '..');

/** The native file that the build makes and the loader looks for. */
const BINARY = path.join(ROOT, fileOf(triple()));

/** What the native file is built from. */
const SOURCES = ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock', '.cargo'];

/** A clone has git's folder (a file in a worktree); a package that npm unpacked has none. */
function isClone() {
  return fs.existsSync(path.join(ROOT, '.git'));
}

/** The newest modification time under a path in ms, or 0 when there is nothing. */
function newestTime(target) {
  const stat = fs.statSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  // The folder's own time counts: it is all that tells of a deleted file.
  return fs
    .readdirSync(target)
    .reduce((newest, name) => Math.max(newest, newestTime(path.join(target, name))), stat.mtimeMs);
}

/** Whether the native file is there and not older than its sources. */
function isFresh() {
  const binary = fs.statSync(BINARY, { throwIfNoEntry: false });
  if (binary === undefined) return false;
  return SOURCES.every((source) => newestTime(path.join(ROOT, source)) <= binary.mtimeMs);
}

/** Whether this node can load a native file or a package that holds one. Tried in a process of its own. */
function loads(target) {
  const probe = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', target], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  return probe.status === 0;
}

/** Whether a prebuilt package of this very version is installed and loads. */
function hasPrebuilt() {
  const name = packageOf(triple());
  try {
    const { version } = require(require.resolve(`${name}/package.json`, { paths: [ROOT] }));
    return version === require('../../package.json').version && loads(name);
  } catch {
    return false;
  }
}

/** Whether a build would add nothing. */
function isReady() {
  return (isFresh() && loads(BINARY)) || (!isClone() && hasPrebuilt());
}

module.exports = { ROOT, BINARY, isClone, isReady, loads };
