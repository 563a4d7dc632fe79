'use strict';

/**
 * This package's copy in Node's own module registry makes the objects that an environment has once.
 *
 * Jest and similar frameworks load every package again for each test file, in a realm that ends with the file; the addon
 * stays. What hangs on the binding would keep the realm of the file that came first, with all that its globals hold; and
 * what that realm was to let go of for forgotten objects would never be, once it has ended.
 *
 * Relies on: `module.constructor._cache` being Node's registry of modules (since Node 0.x), which no other class has; the addon's `hostGlobal()`, and
 * there `process.getBuiltinModule` (documented, since 20.16 and 22.3) or else `process.mainModule.constructor`.
 * Without: each copy of a file makes what there should be one of, as where all stands in one file (a bundle).
 * Test: __test__/runtime/host-realm.test.js, __test__/realms.test.js.
 */

const { binding } = require('../native');

/** Whether a module is such a copy: Node made it, or our own loader by Node's class; it may have left the registry since. */
const isHosts = (module) => typeof module.constructor?._cache === 'object';

/**
 * The exports of a module of ours in Node's own registry.
 *
 * @template T
 * @param {{ exports: T, filename: string }} module
 * @returns {T}
 */
function hostCopy(module) {
  if (isHosts(module)) return module.exports;
  try {
    // Of all ways to Node's own `require`, this is one that no framework covers up.
    const { process } = binding.hostGlobal();
    const { createRequire } = process.getBuiltinModule?.('node:module') ?? process.mainModule.constructor;
    return createRequire(module.filename)(module.filename);
  } catch {
    // All in one file, say.
    return module.exports;
  }
}

/**
 * The value that `holder` keeps under `key`. If there is none yet, `make` makes it with the host's copy of a module.
 *
 * @template T, E
 * @param {object} holder of the host's, or the binding
 * @param {symbol} key registered: each copy must find what the first has made
 * @param {{ exports: E, filename: string }} module
 * @param {(host: E) => T} make
 * @returns {T}
 */
function keptOn(holder, key, module, make) {
  if (holder[key] === undefined) {
    const host = hostCopy(module);
    // The host's copy may have kept it while it was loaded.
    const value = holder[key] ?? make(host);
    if (value !== undefined && holder[key] === undefined) Object.defineProperty(holder, key, { value });
  }
  return holder[key];
}

module.exports = { hostCopy, keptOn };
