'use strict';

/**
 * Builds the addon, and the library of `pool.light`, from the sources: what `rust-workers build` (cli.js), and in a clone `npm run
 * build`, run. Nothing runs it at `npm install`: a package with both, prebuilt, is installed beside this one where there is one for
 * the platform.
 *
 * Does nothing when there is nothing to gain: RUST_WORKERS_BINARY names a file of the user's own, or the
 * binary is there, loads, and is not older than its sources, or the prebuilt package loads. `--force` builds all the same
 * (cargo still skips what stands).
 *
 * The addon comes first, by itself: it needs no C compiler but as Rust's linker, and works where the other cannot be built.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ensureBundle } = require('./bundle');
const { ROOT, ADDON, LIGHT, isClone, isReady, isLightReady, loads } = require('./paths');
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
    `the native addon must be built on this machine, and it cannot be:\n${list}\n` +
      'Then run the same command again. A file that was built elsewhere can be used instead: ' +
      'set RUST_WORKERS_BINARY to its path.',
  );
}

/** The path of a cdylib in cargo's messages, wherever CARGO_TARGET_DIR or cargo's own settings put it. */
function findLibrary(messages, { library: name }) {
  const artifacts = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name === name && target.kind.includes('cdylib'));
  const library = artifacts
    .flatMap(({ filenames }) => filenames)
    .find((file) => /\.(so|dylib|dll)$/.test(file));
  if (library === undefined) throw new BuildError('cargo succeeded and named no library; please report this');
  return library;
}

/** Before a build of a minute or two, and not after it. */
function checkFolder() {
  try {
    fs.accessSync(ROOT, fs.constants.W_OK);
  } catch (error) {
    throw new BuildError(
      `the addon is put into ${ROOT}, which cannot be written to (${error.code}): run the same command as the user who owns it. ` +
        'Or build where you may, and set RUST_WORKERS_BINARY to the path of the file that is made there.',
    );
  }
}

/** Runs cargo. Its progress and errors go straight to the terminal. */
function compile(product) {
  const args = ['build', '--release', '--package', product.crate, '--lib', '--message-format=json-render-diagnostics'];
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
  return findLibrary(stdout, product);
}

/**
 * Puts the library in its place in one step: another process sees the old file or the new one, whole, and a file that pnpm
 * shares with its store is replaced and not written into.
 * It gets the time at which the build began, so that a source saved during the build makes it stale.
 */
function place(library, { file }, startedAt) {
  const draft = path.join(ROOT, `.draft-${process.pid}.node`);
  try {
    fs.copyFileSync(library, draft);
    fs.utimesSync(draft, startedAt, startedAt);
    fs.renameSync(draft, file);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw new BuildError(`could not write ${file}: ${error.message}. Is a running program using it?`);
  }
}

/** An installed package keeps what was built alone: cargo's own folder is many times as large. */
function cleanUp() {
  if (!isClone()) fs.rmSync(path.join(ROOT, 'target'), { recursive: true, force: true });
}

/** Builds one thing, and puts it in its place. */
function make(product) {
  checkToolchain();
  checkFolder();
  log(`building ${product.what} with cargo; the first time takes a minute or two`);
  const startedAt = new Date();
  place(compile(product), product, startedAt);
  log(`built ${path.basename(product.file)}`);
}

/**
 * Builds the addon.
 *
 * @throws {BuildError} with a message for a person
 */
function build() {
  make(ADDON);
  if (loads(ADDON.file)) return;
  throw new BuildError(`${ADDON.file} was built, and this node does not load it: run node -e "require(process.argv[1])" "${ADDON.file}"`);
}

/** Builds the library of `pool.light`. Where that fails it says so, since all else works without it. */
function buildLight() {
  try {
    make(LIGHT);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    log(error.message);
    log(
      `${LIGHT.what} was not built. All but pool.light works without it. It needs a C compiler and the headers of the C library: ` +
        'install them, and run the same command again.',
    );
  }
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

/**
 * Builds if there is something to gain.
 *
 * @param {{ force?: boolean }} [options]
 * @returns {boolean} whether it built
 */
function buildIfNeeded({ force = false } = {}) {
  const isOwnFile = Boolean(process.env.RUST_WORKERS_BINARY);
  if (isOwnFile) log('RUST_WORKERS_BINARY is set: nothing is built');
  const needs = (isThere) => !isOwnFile && (force || !isThere());
  const needed = { addon: needs(isReady), light: needs(isLightReady) };
  if (needed.addon) build();
  if (needed.light) buildLight();
  if (needed.addon || needed.light) cleanUp();
  ensureBundle();
  return needed.addon || needed.light;
}

if (require.main === module) runAsCommand(() => buildIfNeeded({ force: process.argv.includes('--force') }));

module.exports = { build, buildLight, buildIfNeeded, log, runAsCommand, BuildError };
