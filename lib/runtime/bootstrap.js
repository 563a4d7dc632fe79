'use strict';

/**
 * The first file of a Worker that is given its modules (compiled-modules.js): makes modules of them (module-loader.js), and
 * starts the one that the Worker was made for.
 *
 * Relies on: `module.constructor` (see module-loader.js); `Module._extensions['.node']`, which loads an addon; and
 * `Module.runMain`, by which Node starts the script of a Worker. All of them are in Node 20 to 26, and have been since
 * Node 0.x.
 * Without: where the modules do not come, or one of these is missing, each file is loaded by `require`.
 * Test: __test__/runtime/compiled-modules.test.js, __test__/script-pool/loading.test.js.
 */

const path = require('node:path');
const { Script } = require('node:vm');
const workerThreads = require('node:worker_threads');

// Without what else 'node:module' loads.
const Module = module.constructor;

/** Whether Node loads an addon here as `withCompiled` does. */
const isKnown = (Class) => typeof Class._cache === 'object' && typeof Class._extensions?.['.node'] === 'function';

/** A loader of our own modules, with those that came compiled. */
function withCompiled({ root, ids, ends, memory, native, addon, bundle }) {
  const numbers = new Map(ids.map((id, i) => [id, i]));
  const part = (i) => Buffer.from(memory, i === 0 ? 0 : ends[i - 1], ends[i] - (i === 0 ? 0 : ends[i - 1]));

  function compiledFunction(id) {
    const number = numbers.get(id);
    const source = part(2 * number).latin1Slice();
    const filename = path.join(root, `${id}.js`);
    const code = part(2 * number + 1);
    return new Script(source, { filename, cachedData: code.length === 0 ? undefined : code }).runInThisContext();
  }

  /** The addon need not be looked for. */
  function loadAddon(exports) {
    const made = new Module(addon, module);
    made.filename = addon;
    Module._cache[addon] = made;
    Module._extensions['.node'](made, addon);
    made.loaded = true;
    Object.assign(exports, { binding: made.exports, file: addon });
  }

  /** In the place of the bundle, so that a script that requires the package gets these modules and no others. */
  const beBundle = (exports) => Object.assign(exports, { load: loader.load, isFresh: () => true });

  // It comes compiled too: to find and read its file would take as long as ten of the others.
  const own = { exports: {} };
  compiledFunction('runtime/module-loader')(own.exports, require, own);

  const functions = new Map([[native, loadAddon], [bundle, beBundle]]);
  const functionOf = (id) => functions.get(id) ?? compiledFunction(id);
  const loader = own.exports.moduleLoader({ root, ids: [...ids, bundle], functionOf, parent: module, require });
  return loader;
}

/**
 * Runs a script as Node runs that of a Worker: hooks, loaders and kinds of files are Node's business.
 *
 * @param {string} file
 * @returns {{ exports: unknown } | undefined} its module; undefined for an ES module, or one that the loader of ES modules
 *   has loaded: `import` gives the same one again
 */
function runAsMain(file) {
  process.argv[1] = file;
  if (typeof Module.runMain !== 'function') return undefined;
  const before = process.mainModule;
  Module.runMain(file);
  const main = process.mainModule;
  return main === before ? undefined : main;
}

const { control, start } = workerThreads.workerData;
// The first message there is, if it has come in time.
const compiled = workerThreads.receiveMessageOnPort(control)?.message[1] ?? null;
const isCompiled = compiled !== null && isKnown(Module);
const startWorker = isCompiled ? withCompiled(compiled).load(start) : require(`../${start}`);

startWorker({
  runAsMain,
  // A module that came compiled has no `import` of its own.
  importUrl: (url) => import(url),
  syncBuiltinESMExports: () => (Module.syncBuiltinESMExports ?? require('node:module').syncBuiltinESMExports)(),
});
