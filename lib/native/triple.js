'use strict';

/**
 * The platform's name in the names of addons: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`. On Linux it ends with the C
 * library, because an addon that was built for one C library does not load with the other; on Windows with the compiler's
 * family, which is Microsoft's for every Node.js.
 */

const fs = require('node:fs');

/** How much of node's own executable is read: its headers name the dynamic loader well before this. */
const ELF_HEAD_BYTES = 4096;

/** 'gnu' or 'musl', by the dynamic loader that this node itself was linked for. */
function libc() {
  try {
    const file = fs.openSync(process.execPath, 'r');
    try {
      const head = Buffer.alloc(ELF_HEAD_BYTES);
      fs.readSync(file, head, 0, ELF_HEAD_BYTES, 0);
      if (head.includes('/ld-musl-')) return 'musl';
      if (head.includes('/ld-linux')) return 'gnu';
    } finally {
      fs.closeSync(file);
    }
  } catch {
    // No /proc or no right to read the executable: ask the report instead.
  }
  const report = process.report.getReport();
  return report.header.glibcVersionRuntime === undefined ? 'musl' : 'gnu';
}

let known;

function abi() {
  if (process.platform === 'linux') return [libc()];
  return process.platform === 'win32' ? ['msvc'] : [];
}

/** @returns {string} such as `linux-x64-gnu` */
function triple() {
  known ??= [process.platform, process.arch, ...abi()].join('-');
  return known;
}

module.exports = { triple };
