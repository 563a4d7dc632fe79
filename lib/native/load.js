'use strict';

/**
 * Finds and loads the native addon. It collects the errors of all places that it has tried, and throws one error with all.
 *
 * It tries, in this order:
 * 1. the file that `RUST_WORKERS_BINARY` names; when it is set, nothing else is tried,
 * 2. the file that another copy of this package has loaded in this process (lib/native/index.js),
 * 3. `rust-workers.<triple>.node` beside package.json, where `npm install` puts the file that it builds,
 * 4. the package `@rust-workers/<triple>`, a prebuilt binary.
 */

const path = require('node:path');

const { triple } = require('./triple');

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
  const name = triple();
  const built = path.join(ROOT, `rust-workers.${name}.node`);
  return [
    ...(sharedFile === undefined ? [] : [{ label: `the file of another copy, ${sharedFile}`, target: sharedFile }]),
    { label: built, target: built },
    { label: `the package @rust-workers/${name}`, target: `@rust-workers/${name}` },
  ];
}

/** The first line of an error: `require` adds its whole stack of callers to the message. */
function firstLine(error) {
  return String(error?.message ?? error).split('\n', 1)[0];
}

/** Steps that a person can take, in the order in which to take them. */
function advice(env, attempts) {
  if (attempts.some(({ error }) => error?.code === 'ERR_DLOPEN_DISABLED')) {
    return ['let Node.js load addons: start it without --no-addons, and under --permission with --allow-addons'];
  }
  if (env.RUST_WORKERS_BINARY) {
    return [
      'correct RUST_WORKERS_BINARY, or unset it to use the binary of this package',
      `check that the file was built for ${triple()} and is readable`,
    ];
  }
  const steps = [
    'install what the build needs: Rust from https://rustup.rs and a C compiler',
    'build it: npm rebuild rust-workers --foreground-scripts (in a clone: npm run build)',
    'let npm run the install script: --ignore-scripts forbids it, and npm 11 or newer may want ' +
      '"npm install-scripts approve rust-workers" first',
    'or set RUST_WORKERS_BINARY to a file that was built elsewhere',
  ];
  const found = attempts.some(({ error }) => error?.code !== 'MODULE_NOT_FOUND');
  if (found) {
    steps.unshift(`a file is there and does not load: it may be of another platform than ${triple()}`);
  }
  return steps;
}

function notFound(env, attempts) {
  const { BindingNotFoundError } = require('../errors');
  const tried = attempts.map(({ label, error }) => `  - ${label}\n      ${firstLine(error)}`);
  const steps = advice(env, attempts).map((step, index) => `  ${index + 1}. ${step}`);
  const message =
    `Could not load the native part of rust-workers for ${triple()}, Node.js ${process.version}.\n` +
    `Tried:\n${tried.join('\n')}\nWhat to do, in this order:\n${steps.join('\n')}`;
  return new BindingNotFoundError(message, {
    attempts: attempts.map(({ label, error }) => ({ what: label, error })),
    cause: attempts.at(-1).error,
  });
}

/**
 * Loads the addon.
 *
 * @param {{ env?: object, load?: (target: string) => object, sharedFile?: string }} [options] `sharedFile`: the file that
 *   another copy has loaded; the others are for tests: other variables, another `require`
 * @returns {object} the addon's exports
 * @throws {BindingNotFoundError} when no place has one that loads
 */
function loadBinding({ env = process.env, load = require, sharedFile } = {}) {
  const attempts = [];
  for (const { label, target } of candidates(env, sharedFile)) {
    try {
      return load(target);
    } catch (error) {
      attempts.push({ label, error });
    }
  }
  throw notFound(env, attempts);
}

module.exports = { loadBinding };
