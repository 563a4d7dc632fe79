'use strict';

/**
 * Which errors say that a task lost its worker. Their classes do not: a script may throw an error of the same class, as one that has
 * a pool of its own.
 */

const exitErrors = new WeakSet();

/** Notes it. */
function markExitError(error) {
  exitErrors.add(error);
  return error;
}

const isExitError = (error) => typeof error === 'object' && error !== null && exitErrors.has(error);

module.exports = { isExitError, markExitError };
