'use strict';

/**
 * Whether the memory of a Worker can be limited.
 *
 * Relies on: `resourceLimits` of Node's Worker, which Deno has too.
 * Without: a pool refuses the option. Bun passes over it in silence (oven-sh/bun#31411), and a limit that does not hold is
 * worse than none.
 * Test: __test__/runtimes/.
 */

const { isBun } = require('./which');

/** @throws {UnsupportedRuntimeError} the limits would not hold */
function checkResourceLimits(limits) {
  if (!isBun || limits === undefined) return;
  const { UnsupportedRuntimeError } = require('../errors');
  throw new UnsupportedRuntimeError(
    `Bun ${process.versions.bun} does not limit the memory of a Worker: leave options.resourceLimits out, or run this pool on ` +
      'Node.js or Deno',
  );
}

module.exports = { checkResourceLimits };
