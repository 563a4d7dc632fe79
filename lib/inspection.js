'use strict';

/** What the REPL, `console.log` and `util.inspect` show of an object of ours: its state, in one line. */

/** `util.inspect.custom`; `node:util` is not loaded for it. */
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');

/**
 * Gives a class its line.
 *
 * @param {Function} Class
 * @param {(object: object) => object} stateOf what is shown, of a name and a value each; an object that is not whole (the prototype, one
 *   whose memory is gone) may make it throw
 */
function showState(Class, stateOf) {
  Object.defineProperty(Class.prototype, CUSTOM, {
    value(depth, options, inspectValue) {
      return lineOf(this, stateOf, options, inspectValue);
    },
    writable: true,
    configurable: true,
  });
}

function lineOf(object, stateOf, options, inspectValue) {
  const name = object?.constructor?.name ?? 'Object';
  let state;
  try {
    state = stateOf(object);
  } catch {
    return `${name} {}`;
  }
  for (const key of Object.keys(state)) if (state[key] === undefined) delete state[key];
  return `${name} ${inspectValue(state, { ...options, breakLength: Infinity, compact: 3 })}`;
}

module.exports = { CUSTOM, lineOf, showState };
