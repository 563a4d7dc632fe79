'use strict';

/** The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too. */

const { publicClasses } = require('./lib/errors');
const { Barrier, Condvar, Mutex, RwLock, Semaphore } = require('./lib/locks');
const { WorkerPool } = require('./lib/worker-pool');

module.exports = {
  WorkerPool,
  Mutex,
  RwLock,
  Semaphore,
  Condvar,
  Barrier,
  errors: Object.freeze(publicClasses),
};
