'use strict';

/** Lets the native side's half of an object go when the object was forgotten. */

const { hostCopy } = require('./runtime/host-realm');
const { binding } = require('./native');

/** Name of a native function -> the registry that calls the function. */
const registries = new Map();

/** In the host's copy: a registry that ended with its realm would never be called. */
function registryFor(name, first, second) {
  let registry = registries.get(name);
  if (registry === undefined) {
    registry = new FinalizationRegistry((handle) => binding[name](handle, first, second));
    registries.set(name, registry);
  }
  return registry;
}

/**
 * Returns a registry. Once an object that is registered there is forgotten, the registry calls the native function `name`
 * with the handle that was registered with the object.
 *
 * @param {string} name
 * @param {boolean} [first] what follows the handle, always the same for this function
 * @param {boolean} [second]
 * @returns {FinalizationRegistry<number>}
 */
const forgotten = (name, first, second) => hostCopy(module).registryFor(name, first, second);

module.exports = { forgotten, registryFor };
