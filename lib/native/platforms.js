'use strict';

/**
 * The platforms for which there is a package with a prebuilt addon, by the name of the platform (triple.js). What builds, packs,
 * installs and looks for these packages takes its facts from here.
 *
 * `os`, `cpu` and `libc` are npm's words, by which it installs the one package that fits; `target` is Rust's name; `glibc` is the
 * oldest version of the C library with which the addon works.
 */
const PLATFORMS = {
  'linux-x64-gnu': { os: 'linux', cpu: 'x64', libc: 'glibc', target: 'x86_64-unknown-linux-gnu', glibc: '2.17' },
  'linux-arm64-gnu': { os: 'linux', cpu: 'arm64', libc: 'glibc', target: 'aarch64-unknown-linux-gnu', glibc: '2.17' },
  'linux-x64-musl': { os: 'linux', cpu: 'x64', libc: 'musl', target: 'x86_64-unknown-linux-musl' },
  'linux-arm64-musl': { os: 'linux', cpu: 'arm64', libc: 'musl', target: 'aarch64-unknown-linux-musl' },
  'darwin-x64': { os: 'darwin', cpu: 'x64', target: 'x86_64-apple-darwin' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64', target: 'aarch64-apple-darwin' },
  'win32-x64-msvc': { os: 'win32', cpu: 'x64', target: 'x86_64-pc-windows-msvc' },
};

/** The package of a platform. It has no scope: one could belong to somebody else. */
const packageOf = (triple) => `rust-workers-${triple}`;

/** The addon's file: in a platform's package, and beside package.json where it was built. */
const fileOf = (triple) => `rust-workers.${triple}.node`;

/**
 * The library of `pool.light`, a native pack, in the same places. Its name ends as an addon's does, since tools that move packages
 * (bundlers, archives of Yarn) leave such files as they are.
 */
const lightFileOf = (triple) => `rust-workers-light.${triple}.node`;

module.exports = { PLATFORMS, packageOf, fileOf, lightFileOf };
