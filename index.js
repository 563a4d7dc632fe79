'use strict';

/** The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too. */

const { publicClasses } = require('./lib/errors');
const { WorkerPool } = require('./lib/worker-pool');

module.exports = {
  WorkerPool,
  errors: Object.freeze(publicClasses),
};
