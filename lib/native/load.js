'use strict';

/**
 * Finds the addon, a file of compiled Rust, and loads it: its exports are the `binding`. When no place has an addon that loads,
 * it throws one error that lists them all (not-found.js).
 *
 * It tries, in this order:
 * 1. the addon that `RUST_WORKERS_BINARY` names; when it is set, nothing else is tried,
 * 2. the addon that another copy of this package has loaded in this process (lib/native/index.js),
 * 3. `rust-workers.<triple>.node` beside package.json, where `rust-workers build` puts the addon that it builds,
 * 4. the package `rust-workers-<triple>` of exactly this version, with a prebuilt addon.
 */

const path = require('node:path');

const { fileOf, packageOf } = require('./platforms');
const { triple } = require('./triple');
const { VERSION } = require('./version');

const ROOT = path.join(__dirname, '..', '..');

/** The places to look in: `label` for a person, `target` for `require`. */
function candidates(env, sharedFile) {
  if (env.RUST_WORKERS_BINARY) {
    return [
      {
        label: `RUST_WORKERS_BINARY=${env.RUST_WORKERS_BINARY}`,
        target: path.resolve(env.RUST_WORKERS_BINARY),
      },
    ];
  }
  const built = path.join(ROOT, fileOf(triple()));
  const prebuilt = packageOf(triple());
  return [
    ...(sharedFile === undefined ? [] : [{ label: `the addon of another copy, ${sharedFile}`, target: sharedFile }]),
    { label: built, target: built },
    { label: `the package ${prebuilt}`, target: prebuilt, isPackage: true },
  ];
}

/** The numbers and functions of an addon belong to the JavaScript of its own version. */
function checkVersion(name, load) {
  const { version } = load(`${name}/package.json`);
  if (version === VERSION) return;
  const { BindingNotFoundError } = require('../errors');
  throw new BindingNotFoundError(
    `${name} ${version} is installed, and rust-workers ${VERSION} needs exactly ${VERSION} of it`,
    { attempts: [], found: version, wanted: VERSION },
  );
}

/**
 * Loads the addon.
 *
 * @param {{ env?: object, load?: (target: string) => object, sharedFile?: string }} [options] `sharedFile`: the addon that
 *   another copy has loaded; the others are for tests: other variables, another `require`
 * @returns {object} the binding
 * @throws {BindingNotFoundError} when no place has one that loads
 */
function loadBinding({ env = process.env, load = require, sharedFile } = {}) {
  const attempts = [];
  for (const { label, target, isPackage } of candidates(env, sharedFile)) {
    try {
      if (isPackage) checkVersion(target, load);
      return load(target);
    } catch (error) {
      attempts.push({ label, error });
    }
  }
  throw require('./not-found').notFound({ env, attempts, root: ROOT });
}

module.exports = { loadBinding };
