'use strict';

/**
 * The first file of a Worker whose modules come compiled (compiled-modules.js): makes modules of them, puts these where
 * `require` looks for modules that were loaded before, and starts the one that the Worker was made for. So code that
 * requires one of our files, in whatever way, gets this one.
 *
 * Relies on: `module.constructor`, which is what 'node:module' exports (to load that one costs a worker 1 ms and 16 more
 * modules); `Module._cache`, in which `require` looks by file name; `Module._extensions['.node']`, which loads an addon;
 * `Module.runMain`, by which Node starts the script of a Worker; and a module being a function of five names. All of them are
 * in Node 20 to 26, and have been since Node 0.x.
 * Without: where the modules do not come, or one of these is missing, each file is loaded by `require`.
 * Test: __test__/runtime/compiled-modules.test.js, __test__/script-pool/loading.test.js.
 */

const { Script } = require('node:vm');
const workerThreads = require('node:worker_threads');

// Without what else 'node:module' loads.
const Module = module.constructor;

/** Whether modules can be made here as `requireCompiled` makes them. */
const isKnown = (Class) =>
  typeof Class._cache === 'object' && Class._cache !== null && typeof Class._extensions?.['.node'] === 'function';

/** A `require` for our own modules, which takes those that came compiled. */
function requireCompiled({ files, ids, ends, memory, native, addon }) {
  const numbers = new Map(ids.map((id, i) => [id, i]));
  const part = (i) => Buffer.from(memory, i === 0 ? 0 : ends[i - 1], ends[i] - (i === 0 ? 0 : ends[i - 1]));

  function load(number) {
    const file = files[number];
    const loaded = Module._cache[file];
    if (loaded !== undefined) return loaded.exports;
    const source = part(2 * number).latin1Slice();
    const script = new Script(source, { filename: file, cachedData: part(2 * number + 1) });
    const made = put(file);
    const run = script.runInThisContext();
    const id = file.endsWith('index.js') ? `${ids[number]}/` : ids[number];
    run.call(made.exports, made.exports, requireFrom(made, id), made, file, made.path);
    made.loaded = true;
    return made.exports;
  }

  function put(file) {
    const made = new Module(file, module);
    made.filename = file;
    made.paths = module.paths;
    Module._cache[file] = made;
    return made;
  }

  /** The addon need not be looked for. */
  function loadAddon() {
    const made = put(addon);
    Module._extensions['.node'](made, addon);
    made.loaded = true;
    const holder = put(native);
    holder.exports = { binding: made.exports, file: addon };
    holder.loaded = true;
  }

  /** Our folders hold no folders, so names are quickly made into what they are as seen from lib. */
  function requireFrom(requirer, id) {
    const folder = id.slice(0, id.indexOf('/') + 1);
    return (name) => {
      let number;
      if (name.startsWith('./')) number = numbers.get(folder + name.slice(2));
      else if (name.startsWith('../')) number = numbers.get(name.slice(3));
      return number === undefined ? requirer.require(name) : load(number);
    };
  }

  loadAddon();
  return requireFrom(module, 'runtime/bootstrap');
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
const ours = compiled !== null && isKnown(Module) ? requireCompiled(compiled) : require;

ours(start)({
  runAsMain,
  // A module that came compiled has no `import` of its own.
  importUrl: (url) => import(url),
  syncBuiltinESMExports: () => Module.syncBuiltinESMExports(),
});
