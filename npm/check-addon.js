'use strict';

/**
 * Checks what an addon, or the library of `pool.light`, asks of the system that is to load it: of Linux by the tables of the file itself, which binutils' `readelf`
 * reads for every processor; of Windows by the names of libraries. The build machine's own C library must not have got in.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');

/** The libraries that every system with Node.js has. */
const LIBRARIES = {
  glibc: /^(?:libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|libgcc_s\.so\.1|ld-linux-[\w-]+\.so\.\d)$/,
  musl: /^(?:libc\.so|libc\.musl-\w+\.so\.1|libgcc_s\.so\.1)$/,
};

/** The C library of Visual C++, which Windows has only where something has installed it. */
const NOT_ON_WINDOWS = /\b(?:vcruntime|msvcp|concrt)\d+(?:_\w+)?\.dll\b/gi;

/** `Machine` of an ELF head, by npm's word for the processor. */
const MACHINES = { x64: /X86-64/, arm64: /AArch64/ };

function readelf(...args) {
  const { status, error, stdout, stderr } = spawnSync('readelf', ['--wide', ...args], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 28,
  });
  if (error) throw new Error(`readelf, of binutils, could not be run: ${error.message}`);
  if (status !== 0) throw new Error(`readelf failed: ${stderr.trim()}`);
  return stdout;
}

function isNewer(one, other) {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number));
  const at = a.findIndex((part, i) => part !== (b[i] ?? 0));
  return at !== -1 && a[at] > (b[at] ?? 0);
}

/** @returns {string[]} the versions of glibc's symbols that a file needs, the oldest first */
function glibcVersions(file) {
  const versions = new Set(Array.from(readelf('--version-info', file).matchAll(/Name: GLIBC_([\d.]+)/g), ([, version]) => version));
  return [...versions].sort((a, b) => (isNewer(a, b) ? 1 : -1));
}

/** The names of a DLL's libraries stand in it as they are. */
function faultsOnWindows(file) {
  const libraries = new Set(fs.readFileSync(file, 'latin1').match(NOT_ON_WINDOWS));
  return Array.from(libraries, (library) => `it needs ${library}, which not every Windows has (.cargo/config.toml)`);
}

function faultsOnLinux(file, { cpu, libc, glibc }, { isAddon }) {
  const faults = [];
  const machine = /Machine:\s*(.*)/.exec(readelf('--file-header', file))[1];
  if (!MACHINES[cpu].test(machine)) faults.push(`it is for ${machine}, and not for ${cpu}`);
  const dynamic = readelf('--dynamic', file);
  for (const [, library] of dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
    if (!LIBRARIES[libc].test(library)) faults.push(`it needs ${library}`);
  }
  // See build.rs. Packs are loaded by us, and never unloaded.
  if (isAddon && !/FLAGS_1.*NODELETE/.test(dynamic)) faults.push('it may be unloaded while threads run its code (NODELETE is missing)');
  const versions = glibcVersions(file);
  if (glibc === undefined && versions.length > 0) faults.push('it needs glibc');
  if (glibc !== undefined) {
    if (versions.length === 0) faults.push('it names no version of glibc at all');
    for (const version of versions) if (isNewer(version, glibc)) faults.push(`it needs glibc ${version}, newer than ${glibc}`);
  }
  return faults;
}

const CHECKS = { linux: faultsOnLinux, win32: faultsOnWindows };

/**
 * @param {string} file
 * @param {object} platform a row of lib/native/platforms.js
 * @param {{ isAddon?: boolean }} [options] `isAddon`, true by default: Node.js loads it, which may unload it too
 * @returns {string[]} what is wrong with it, a sentence each
 */
function faultsOf(file, platform, { isAddon = true } = {}) {
  return CHECKS[platform.os]?.(file, platform, { isAddon }) ?? [];
}

module.exports = { faultsOf };
