'use strict';

/** What a build needs of the machine, and the sentences for a person when it is not there. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ROOT } = require('./paths');

const CARGO = process.env.CARGO || 'cargo';
const RUSTC = process.env.RUSTC || 'rustc';

/** How to get a C compiler on each platform that needs one to be named. */
const COMPILER_HINTS = {
  linux: 'apt-get install gcc libc6-dev, dnf install gcc, or apk add build-base',
  darwin: 'xcode-select --install',
};

/**
 * What `command --version` prints.
 *
 * @returns {{ version?: string, failure?: string }} `failure`: what it said instead, when it is there and fails; neither
 *   when it is not there
 */
function look(command) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, ['--version'], { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return { version: stdout.trim() };
  if (error?.code === 'ENOENT') return {};
  const said = (stderr ?? '').trim() || (error?.message ?? (signal === null ? `exit code ${status}` : `ended by ${signal}`));
  return { failure: said };
}

const firstLine = (text) => text.split('\n', 1)[0];

/** What to do about a tool of Rust's that is there and does not run; what is there is often rustup's stand-in for it. */
function failingRust(command, failure, want) {
  if (/rustup|toolchain/i.test(failure)) {
    const isMissing = /not installed/i.test(failure);
    return (
      `${command} is there, and rustup has no toolchain for it to run (it says: "${firstLine(failure)}"): ` +
      (isMissing ? 'rustup toolchain install, with the name it says' : `rustup default stable (Rust ${want} or newer)`)
    );
  }
  return `${command} is there, and fails (it says: "${firstLine(failure)}"): run "${command} --version" and mend that first`;
}

/** `rust-version` of Cargo.toml, such as '1.95'. */
function requiredRust() {
  return /^rust-version = "([\d.]+)"/m.exec(fs.readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8'))[1];
}

/** Whether version `have` is at least `want`; both as `1.95.0`, missing parts count as 0. */
function atLeast(have, want) {
  const [a, b] = [have, want].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function rustProblem() {
  const want = requiredRust();
  const install = `install Rust ${want} or newer from https://rustup.rs, then open a new terminal`;
  const cargo = look(CARGO);
  if (cargo.failure !== undefined) return failingRust(CARGO, cargo.failure, want);
  if (cargo.version === undefined) {
    return `cargo was not found: ${install} (or add ~/.cargo/bin to PATH when Rust is installed)`;
  }
  const { version, failure } = look(RUSTC);
  if (failure !== undefined) return failingRust(RUSTC, failure, want);
  if (version === undefined) return `rustc was not found beside cargo: ${install}`;
  const [, have] = /^rustc (\d+\.\d+\.\d+)/.exec(version) ?? [];
  if (have !== undefined && !atLeast(have, want)) {
    return `Rust ${have} is too old, ${want} is needed: rustup update stable (or ${install})`;
  }
  return undefined;
}

/**
 * The linker that rustc calls is `cc` everywhere but on Windows, where rustc finds Visual Studio's by itself.
 */
function compilerProblem() {
  if (process.platform === 'win32') return undefined;
  const command = process.env.CC || 'cc';
  const { version, failure } = look(command);
  if (version !== undefined) return undefined;
  if (failure !== undefined) {
    return `the C compiler "${command}" is there, and fails (it says: "${firstLine(failure)}"): run "${command} --version" and mend that first`;
  }
  const hint = COMPILER_HINTS[process.platform] ?? 'install gcc or clang';
  return `a C compiler was not found (looked for "${command}"; Rust links with it): ${hint}`;
}

/** @returns {string[]} one sentence for each thing that is missing; empty when a build can start */
function problems() {
  return [rustProblem(), compilerProblem()].filter((problem) => problem !== undefined);
}

module.exports = { CARGO, problems, requiredRust, atLeast };
