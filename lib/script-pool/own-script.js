'use strict';

/** Refuses the pool that a script makes of itself while a worker loads it: each worker would start the next, without end. */

const { InvalidArgValueError } = require('../errors');
const { RUNNER, binding } = require('../native');
const { placeOf } = require('./script-location');

/**
 * @param {string} script the URL of the script that a pool is made of
 * @throws {InvalidArgValueError} in a worker that is loading this very script
 */
function refuseOwnScript(script) {
  const loading = binding[RUNNER]?.loading;
  if (loading === undefined || (script !== loading && placeOf(script).url !== placeOf(loading).url)) return;
  throw new InvalidArgValueError(
    'A script makes a pool of itself while a worker loads it, so each worker would start the next. ' +
      "Make the pool only `if (isMainThread)`, of 'rust-workers', or put the functions into a file of their own",
  );
}

module.exports = { refuseOwnScript };
