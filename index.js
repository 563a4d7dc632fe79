'use strict';

/** The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too. */

const { publicClasses } = require('./lib/errors');
const { SharedBuffer } = require('./lib/shared-buffer/shared-buffer');
const { rustAtomics } = require('./lib/shared-buffer/rust-atomics');
const { WorkerPool } = require('./lib/worker-pool');

module.exports = {
  WorkerPool,
  SharedBuffer,
  rustAtomics,
  errors: Object.freeze(publicClasses),
};
