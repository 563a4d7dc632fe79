'use strict';

/**
 * Checks what a Linux addon asks of the system that is to load it, by the tables of the file itself, which binutils' `readelf`
 * reads for every processor. The build machine's own C library must not have got in.
 */

const { spawnSync } = require('node:child_process');

/** The libraries that every system with Node.js has. */
const LIBRARIES = {
  glibc: /^(?:libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|libgcc_s\.so\.1|ld-linux-[\w-]+\.so\.\d)$/,
  musl: /^(?:libc\.so|libc\.musl-\w+\.so\.1|libgcc_s\.so\.1)$/,
};

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

/**
 * @param {string} file
 * @param {object} platform a row of lib/native/platforms.js
 * @returns {string[]} what is wrong with it, a sentence each
 */
function faultsOf(file, { cpu, libc, glibc }) {
  const faults = [];
  const machine = /Machine:\s*(.*)/.exec(readelf('--file-header', file))[1];
  if (!MACHINES[cpu].test(machine)) faults.push(`it is for ${machine}, and not for ${cpu}`);
  const dynamic = readelf('--dynamic', file);
  for (const [, library] of dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
    if (!LIBRARIES[libc].test(library)) faults.push(`it needs ${library}`);
  }
  // See build.rs.
  if (!/FLAGS_1.*NODELETE/.test(dynamic)) faults.push('it may be unloaded while threads run its code (NODELETE is missing)');
  const versions = glibcVersions(file);
  if (glibc === undefined && versions.length > 0) faults.push('it needs glibc');
  if (glibc !== undefined) {
    if (versions.length === 0) faults.push('it names no version of glibc at all');
    for (const version of versions) if (isNewer(version, glibc)) faults.push(`it needs glibc ${version}, newer than ${glibc}`);
  }
  return faults;
}

module.exports = { faultsOf, glibcVersions };
