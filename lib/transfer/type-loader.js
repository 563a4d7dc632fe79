'use strict';

/**
 * How this copy of the package loads all transferable types. A caller sets it, since the files of the types import this
 * folder.
 */

let load;

/** @param {() => void} loader registers every transferable type (registry.js) */
function setTypeLoader(loader) {
  load = loader;
}

/** Registers every transferable type, if this copy has a loader. */
function loadTypes() {
  load?.();
}

module.exports = { loadTypes, setTypeLoader };
