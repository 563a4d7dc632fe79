'use strict';

/** The public face. What is new here goes into lib/index.mjs and index.d.ts too; a test compares the first two. */

const { publicClasses } = require('./lib/errors');
const { WorkerPool } = require('./lib/worker-pool');

module.exports = {
  WorkerPool,
  errors: Object.freeze(publicClasses),
};
