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

/** What `command --version` prints, or undefined when it cannot be run. */
function versionOf(command) {
  const { status, stdout } = spawnSync(command, ['--version'], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
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
  if (versionOf(CARGO) === undefined) {
    return `cargo was not found: ${install} (or add ~/.cargo/bin to PATH when Rust is installed)`;
  }
  const version = versionOf(RUSTC);
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
  if (versionOf(command) !== undefined) return undefined;
  const hint = COMPILER_HINTS[process.platform] ?? 'install gcc or clang';
  return `a C compiler was not found (looked for "${command}"; Rust links with it): ${hint}`;
}

/** @returns {string[]} one sentence for each thing that is missing; empty when a build can start */
function problems() {
  return [rustProblem(), compilerProblem()].filter((problem) => problem !== undefined);
}

module.exports = { CARGO, problems, atLeast };
