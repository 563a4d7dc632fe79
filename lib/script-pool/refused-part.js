'use strict';

/** Which part of a value Node has refused to clone, and why. Loaded for the first such value. */

const { types } = require('node:util');

const { exoticName } = require('../codec/object-kinds');
const { describe } = require('../codec/describe');
const { findPath } = require('../codec/value-path');
const { UnsupportedValueError } = require('../errors');

const isRefused = (value) =>
  typeof value === 'function' || typeof value === 'symbol' ||
  (typeof value === 'object' && value !== null && exoticName(value) !== null);

/** To and from scripts, more can pass than to native tasks. */
const wordsOf = (refused) =>
  types.isPromise(refused)
    ? 'a Promise, which cannot cross to another thread: did you forget `await`?'
    : describe(refused).replace(/to a task; .*$/, 'to another thread; pass what structured clone takes');

/** Node does not say where in a value the trouble is: an error of its structured clone gets a cause that does. */
function explain(error, value, name) {
  if (error?.name !== 'DataCloneError' || error.cause !== undefined) return;
  let refused;
  const path = findPath(value, name, (at) => isRefused(at) && ((refused = at), true));
  if (path === null) return;
  const cause = new UnsupportedValueError(`${path} is ${wordsOf(refused)}`);
  Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
}

module.exports = { explain };
