'use strict';

/** What the REPL, `console.log` and `util.inspect` show of an object of ours: its state, in one line. */

/** `util.inspect.custom`; `node:util` is not loaded for it. */
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');

/** So many names of a list. */
const MOST_SHOWN = 20;

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

/** Whatever the program has made of the object, of its class or of the prototypes of all objects: this tells what it can, and throws nothing. */
function lineOf(object, stateOf, options, inspectValue) {
  let name = 'Object';
  try {
    ({ name } = object.constructor);
    const state = stateOf(object);
    for (const key of Object.keys(state)) if (state[key] === undefined) delete state[key];
    // As deep as it stands: its state is one line anywhere.
    return `${name} ${inspectValue(state, { ...options, depth: Math.max(1, options.depth ?? Infinity), breakLength: Infinity, compact: true, maxArrayLength: MOST_SHOWN })}`;
  } catch {
    return `${typeof name === 'string' ? name : 'Object'} {}`;
  }
}

module.exports = { CUSTOM, lineOf, showState };
