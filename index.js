'use strict';

/** The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too. */

const { publicClasses } = require('./lib/errors');
const { Barrier, Condvar, Mutex, RwLock, Semaphore } = require('./lib/locks');
const { SharedBuffer } = require('./lib/shared-buffer/shared-buffer');
const { rustAtomics } = require('./lib/shared-buffer/rust-atomics');
const { WorkerPool } = require('./lib/worker-pool');

module.exports = {
  WorkerPool,
  Mutex,
  RwLock,
  Semaphore,
  Condvar,
  Barrier,
  SharedBuffer,
  rustAtomics,
  errors: Object.freeze(publicClasses),
};
