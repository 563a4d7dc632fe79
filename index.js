'use strict';

/** The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too. */

const { publicClasses } = require('./lib/errors');
const { binding } = require('./lib/native');
const { Task } = require('./lib/script-pool/task');
const { move } = require('./lib/script-pool/transfer');
const { WorkerPool } = require('./lib/worker-pool');

module.exports = {
  WorkerPool,
  move,
  task: new Task(binding),
  errors: Object.freeze(publicClasses),
};
