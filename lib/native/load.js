'use strict';

/**
 * Finds the addon, a file of compiled Rust, and loads it: its exports are the `binding`. When no place has an addon that loads,
 * it throws one error that lists them all.
 *
 * It tries, in this order:
 * 1. the addon that `RUST_WORKERS_BINARY` names; when it is set, nothing else is tried,
 * 2. the addon that another copy of this package has loaded in this process (lib/native/index.js),
 * 3. `rust-workers.<triple>.node` beside package.json, where `npm install` puts the addon that it builds,
 * 4. the package `@rust-workers/<triple>`, with a prebuilt addon.
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
    ...(sharedFile === undefined ? [] : [{ label: `the addon of another copy, ${sharedFile}`, target: sharedFile }]),
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
      'correct RUST_WORKERS_BINARY, or unset it to use the addon of this package',
      `check that this addon was built for ${triple()} and is readable`,
    ];
  }
  return [
    'install what the build needs: Rust from https://rustup.rs and a C compiler',
    'build it: npm rebuild rust-workers --foreground-scripts (in a clone: npm run build)',
    'let npm run the install script: --ignore-scripts forbids it, and npm 11 or newer may want ' +
      '"npm install-scripts approve rust-workers" first',
    'or set RUST_WORKERS_BINARY to an addon that was built elsewhere',
  ];
}

/** What the attempts show, beyond their errors; an empty text, or a line of its own. */
function finding(env, attempts) {
  const codes = attempts.map(({ error }) => error?.code);
  const isThere = codes.some((code) => code !== 'MODULE_NOT_FOUND' && code !== 'ERR_DLOPEN_DISABLED');
  if (env.RUST_WORKERS_BINARY || !isThere) return '';
  return `An addon is there and does not load: it may be of another platform than ${triple()}.\n`;
}

function notFound(env, attempts) {
  const { BindingNotFoundError } = require('../errors');
  const tried = attempts.map(({ label, error }) => `  - ${label}\n      ${firstLine(error)}`);
  const steps = advice(env, attempts).map((step, index) => `  ${index + 1}. ${step}`);
  const message =
    `Could not load the addon of rust-workers for ${triple()}, Node.js ${process.version}.\n` +
    `Tried:\n${tried.join('\n')}\n${finding(env, attempts)}What to do, in this order:\n${steps.join('\n')}`;
  return new BindingNotFoundError(message, {
    attempts: attempts.map(({ label, error }) => ({ what: label, error })),
    cause: attempts.at(-1).error,
  });
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
