'use strict';

/**
 * The runtime's own `moveMessagePortToContext`.
 *
 * Relies on: Node's, which Deno has too.
 * Without: an error that says so, for ports of either kind; Bun's throws for each of its own (oven-sh/bun#43031).
 * Test: __test__/runtimes/.
 */

const { isBun } = require('./which');
const workerThreads = require('./worker-threads');

function refuse() {
  const { UnsupportedRuntimeError } = require('../errors');
  throw new UnsupportedRuntimeError(
    `Bun ${process.versions.bun} cannot move a port to a vm context: post the values to the context by functions of yours, ` +
      'or use Node.js',
  );
}

module.exports = { moveMessagePortToContext: isBun ? refuse : workerThreads.moveMessagePortToContext };
