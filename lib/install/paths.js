'use strict';

/** Where things are, and whether what was built is as new as what it was built from. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { fileOf, lightFileOf, packageOf } = require('../native/platforms');
const { triple } = require('../native/triple');

/** The folder of package.json. */
const ROOT = path.join(__dirname, '..', '..');

/** What cargo builds here by. */
const SETTINGS = ['Cargo.toml', 'Cargo.lock', '.cargo'];

/**
 * What a build makes. `what`: for a person; `crate`: its package, and `library` its library in cargo's words; `file`: where it is put,
 * and looked for; `sources`: what it is built from.
 */
const ADDON = {
  what: 'the native addon',
  crate: 'rust-workers',
  library: 'rust_workers',
  file: path.join(ROOT, fileOf(triple())),
  sources: ['src', 'build.rs', 'crates/abi', ...SETTINGS],
};

/** The interpreter of `pool.light`. It takes 0.4 of the CPU time that the addon takes, most of it in the C compiler. */
const LIGHT = {
  what: 'the library of pool.light',
  crate: 'rust-workers-light',
  library: 'rust_workers_light',
  file: path.join(ROOT, lightFileOf(triple())),
  sources: ['packs/light', 'crates', ...SETTINGS],
};

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

/** Whether what a build makes is there and not older than its sources. */
function isFresh({ file, sources }) {
  const built = fs.statSync(file, { throwIfNoEntry: false });
  if (built === undefined) return false;
  return sources.every((source) => newestTime(path.join(ROOT, source)) <= built.mtimeMs);
}

/** Whether this node can load a native file or a package that holds one. Tried in a process of its own. */
function loads(target) {
  const probe = spawnSync(process.execPath, ['-e', 'require(process.argv[1])', target], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  return probe.status === 0;
}

/** The folder of the installed package with prebuilt files of this very version; undefined when there is none. */
function prebuiltFolder() {
  try {
    const manifest = require.resolve(`${packageOf(triple())}/package.json`, { paths: [ROOT] });
    return require(manifest).version === require('../../package.json').version ? path.dirname(manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a build of the addon would add nothing. */
function isReady() {
  return (isFresh(ADDON) && loads(ADDON.file)) || (!isClone() && prebuiltFolder() !== undefined && loads(packageOf(triple())));
}

/** Whether a build of the library of `pool.light` would add nothing. */
function isLightReady() {
  if (isFresh(LIGHT)) return true;
  const prebuilt = isClone() ? undefined : prebuiltFolder();
  return prebuilt !== undefined && fs.existsSync(path.join(prebuilt, path.basename(LIGHT.file)));
}

module.exports = { ROOT, ADDON, LIGHT, isClone, isFresh, isReady, isLightReady, loads };
