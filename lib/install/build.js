'use strict';

/**
 * Builds the native file: what `npm install` and `npm run build` run.
 *
 * Does nothing when there is nothing to gain: RUST_WORKERS_BINARY names a file of the user's own, or the
 * binary is there, loads, and is not older than its sources. `--force` builds all the same (cargo still skips
 * what stands).
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ensureBundle } = require('./bundle');
const { ROOT, BINARY, isClone, isReady } = require('./paths');
const { CARGO, problems } = require('./toolchain');

/** Cargo's messages are one JSON line an artifact: far below this. */
const MAX_CARGO_OUTPUT = 64 * 1024 * 1024;

/** An end of the build that the user can do something about: printed without a stack. */
class BuildError extends Error {}

function log(text) {
  process.stderr.write(`rust-workers: ${text}\n`);
}

function checkToolchain() {
  const missing = problems();
  if (missing.length === 0) return;
  const list = missing.map((problem) => `  - ${problem}`).join('\n');
  throw new BuildError(
    `the native part must be built on this machine, and it cannot be:\n${list}\n` +
      'Then run the same command again. A file that was built elsewhere can be used instead: ' +
      'set RUST_WORKERS_BINARY to its path.',
  );
}

/** The path of the cdylib in cargo's messages, wherever CARGO_TARGET_DIR or cargo's own settings put it. */
function findLibrary(messages) {
  const artifacts = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.kind.includes('cdylib'));
  const library = artifacts
    .flatMap(({ filenames }) => filenames)
    .find((name) => /\.(so|dylib|dll)$/.test(name));
  if (library === undefined) throw new BuildError('cargo succeeded and named no library; please report this');
  return library;
}

/** Runs cargo. Its progress and errors go straight to the terminal. */
function compile() {
  const args = ['build', '--release', '--lib', '--message-format=json-render-diagnostics'];
  // A user gets exactly the crates that were tested; in a clone the lockfile may just be changing.
  if (!isClone()) args.push('--locked');
  const { status, signal, error, stdout } = spawnSync(CARGO, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: MAX_CARGO_OUTPUT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error) throw new BuildError(`cargo could not be run: ${error.message}`);
  if (status !== 0)
    throw new BuildError(`cargo build failed (${signal ?? `exit code ${status}`}); its words are above`);
  return findLibrary(stdout);
}

/**
 * Puts the library in its place in one step: another process sees the old file or the new one, whole.
 * It gets the time at which the build began, so that a source saved during the build makes it stale.
 */
function place(library, startedAt) {
  const draft = path.join(ROOT, `.draft-${process.pid}.node`);
  try {
    fs.copyFileSync(library, draft);
    fs.utimesSync(draft, startedAt, startedAt);
    fs.renameSync(draft, BINARY);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw new BuildError(`could not write ${BINARY}: ${error.message}. Is a running program using it?`);
  }
}

/** An installed package keeps the binary alone: cargo's own folder is many times as large. */
function cleanUp(library) {
  const target = path.join(ROOT, 'target');
  if (!isClone() && library.startsWith(target + path.sep))
    fs.rmSync(target, { recursive: true, force: true });
}

/**
 * Builds and puts the binary in its place.
 *
 * @throws {BuildError} with a message for a person
 */
function build() {
  checkToolchain();
  log('building the native part with cargo; the first time takes a minute or two');
  const startedAt = new Date();
  const library = compile();
  place(library, startedAt);
  cleanUp(library);
  log(`built ${path.basename(BINARY)}`);
}

/** Calls `work`; a BuildError becomes its message and exit code 1. */
function runAsCommand(work) {
  try {
    work();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(error.message);
    process.exitCode = 1;
  }
}

function main() {
  const forced = process.argv.includes('--force');
  if (process.env.RUST_WORKERS_BINARY) {
    log('RUST_WORKERS_BINARY is set: nothing is built');
  } else if (forced || !isReady()) {
    build();
  }
  ensureBundle();
}

if (require.main === module) runAsCommand(main);

module.exports = { build, log, runAsCommand, BuildError };
