'use strict';

/**
 * The one way from our code into a user's: listeners, callbacks, signals. An error that such a function throws becomes an
 * uncaught exception of its own, as where Node calls it, in the async context it was called in; our own work goes on.
 */

const { throwUncaught } = require('./runtime/turn');

/**
 * @param {Function} run
 * @param {unknown} receiver its `this`
 * @param {...unknown} args
 * @returns {unknown} its return value; undefined when it threw
 */
function callUser(run, receiver, ...args) {
  try {
    return Reflect.apply(run, receiver, args);
  } catch (error) {
    throwUncaught(error);
    return undefined;
  }
}

module.exports = { callUser };
