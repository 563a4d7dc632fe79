'use strict';

/** The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too. */

const { publicClasses } = require('./lib/errors');
// Before the worker's: what arrives in `workerData` may hold any of these. Ports last, they load a part of it.
const { Barrier, Condvar, Mutex, RwLock, Semaphore } = require('./lib/locks');
require('./lib/shared-buffer/travel');
const { SharedBuffer } = require('./lib/shared-buffer/shared-buffer');
const ports = require('./lib/ports');
const worker = require('./lib/worker');
const { binding } = require('./lib/native');
const { Task } = require('./lib/script-pool/task');
const { move } = require('./lib/script-pool/transfer');
const { rustAtomics } = require('./lib/shared-buffer/rust-atomics');
const { WorkerPool } = require('./lib/worker-pool');

// Getters stay getters: see lib/worker/index.js. Ours come after Node's, so ours win.
module.exports = Object.assign(Object.defineProperties({}, Object.getOwnPropertyDescriptors(worker)), {
  ...ports,
  WorkerPool,
  move,
  task: new Task(binding),
  Mutex,
  RwLock,
  Semaphore,
  Condvar,
  Barrier,
  SharedBuffer,
  rustAtomics,
  errors: Object.freeze(publicClasses),
});
