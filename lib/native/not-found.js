'use strict';

/**
 * The error for an addon that cannot be loaded: what was tried, what that shows (`FINDINGS`), and what to do, in order. Read only
 * when it is needed.
 */

const fs = require('node:fs');
const path = require('node:path');

const { BindingNotFoundError } = require('../errors');
const { packageManager } = require('./package-manager');
const { PLATFORMS, packageOf } = require('./platforms');
const { triple } = require('./triple');

/** The first line of an error: `require` adds its whole stack of callers to the message. */
const firstLine = (error) => String(error?.message ?? error).split('\n', 1)[0];

// The second is Bun's.
const isMissing = ({ error }) => ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error?.code);
const isForbidden = ({ error }) => error?.code === 'ERR_DLOPEN_DISABLED';
const isOfOtherVersion = ({ error }) => error?.wanted !== undefined;

/** The other platforms whose packages are installed. */
function otherPlatforms() {
  return Object.keys(PLATFORMS).filter((name) => {
    if (name === triple()) return false;
    try {
      require.resolve(`${packageOf(name)}/package.json`);
      return true;
    } catch {
      return false;
    }
  });
}

/** All that the findings and the advice go by. */
function situation({ env, attempts, root }) {
  const isOwnFile = Boolean(env.RUST_WORKERS_BINARY);
  const isClone = fs.existsSync(path.join(root, '.git'));
  return {
    attempts,
    isOwnFile,
    isClone,
    isForbidden: attempts.some(isForbidden),
    isPrebuilt: !isClone && Object.hasOwn(PLATFORMS, triple()),
    isPackageMissing: !isOwnFile && attempts.length > 0 && isMissing(attempts.at(-1)),
    others: isOwnFile || isClone ? [] : otherPlatforms(),
    manager: packageManager(root, env),
  };
}

/** What the attempts show beyond their errors, a sentence each: the first that has something to say. */
const FINDINGS = [
  ({ isForbidden }) => isForbidden && 'This Node.js may not load addons.',

  ({ isOwnFile, attempts }) =>
    isOwnFile &&
    !isMissing(attempts[0]) &&
    attempts[0].error instanceof SyntaxError &&
    'Node.js loads a file as an addon only if its name ends in ".node".',

  ({ isOwnFile, attempts }) =>
    !isOwnFile &&
    !attempts.every((attempt) => isMissing(attempt) || isOfOtherVersion(attempt)) &&
    `An addon is there and does not load: it may be of another platform than ${triple()}.`,

  ({ isOwnFile, attempts }) =>
    !isOwnFile &&
    attempts.some(isOfOtherVersion) &&
    'A package with a prebuilt addon is there, of another version: a lockfile or an override names it, or an update was not finished.',

  ({ isPackageMissing, isPrebuilt, others }) =>
    isPackageMissing &&
    isPrebuilt &&
    others.length > 0 &&
    `The packages were installed for ${others.join(', ')}: node_modules was copied from another system, or installed for another.`,

  ({ isPackageMissing, isPrebuilt, manager }) =>
    isPackageMissing &&
    isPrebuilt &&
    `The package with the prebuilt addon, ${packageOf(triple())}, was not installed: ${manager.omit}, or a lockfile that was made ` +
      'on another system leaves it out.',

  ({ isPackageMissing, isClone, isPrebuilt }) =>
    isPackageMissing &&
    !isClone &&
    !isPrebuilt &&
    `There is no prebuilt addon for ${triple()}; there are some for ${Object.keys(PLATFORMS).join(', ')}.`,
];

/** Steps that a person can take, in the order in which to take them. */
function advice({ isForbidden, isOwnFile, isClone, isPrebuilt, manager }) {
  if (isForbidden) {
    return ['let Node.js load addons: start it without --no-addons, and under --permission with --allow-addons'];
  }
  if (isOwnFile) {
    return [
      'correct RUST_WORKERS_BINARY, or unset it to use the addon of this package',
      `check that this addon was built for ${triple()} and is readable`,
    ];
  }
  const needs = 'Rust from https://rustup.rs and a C compiler';
  const elsewhere = 'or set RUST_WORKERS_BINARY to an addon that was built elsewhere';
  if (isClone) return [`install what the build needs: ${needs}`, 'build it: npm run build', elsewhere];
  const build = `build it on this machine, with ${needs}: ${manager.run} build`;
  if (!isPrebuilt) return [build, elsewhere];
  return [
    `install the prebuilt addon, on the system where it is to run: ${manager.install} (if that changes nothing, remove ` +
      'node_modules and the lockfile first)',
    `or ${build}`,
    elsewhere,
  ];
}

/**
 * @param {{ env: object, attempts: { label: string, error: unknown }[], root: string }} outcome `root`: the package's folder
 * @returns {BindingNotFoundError}
 */
function notFound(outcome) {
  const { attempts } = outcome;
  const facts = situation(outcome);
  const tried = attempts.map(({ label, error }) => `  - ${label}\n      ${firstLine(error)}\n`).join('');
  const finding = FINDINGS.map((find) => find(facts)).find(Boolean);
  const steps = advice(facts).map((step, index) => `  ${index + 1}. ${step}`);
  const message =
    `Could not load the addon of rust-workers for ${triple()}, Node.js ${process.version}.\n` +
    `Tried:\n${tried}${finding ? `${finding}\n` : ''}What to do, in this order:\n${steps.join('\n')}`;
  return new BindingNotFoundError(message, {
    attempts: attempts.map(({ label, error }) => ({ what: label, error })),
    cause: attempts.at(-1).error,
  });
}

module.exports = { notFound };
