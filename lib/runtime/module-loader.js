'use strict';

/**
 * A `require` for modules of ours whose functions are in memory already: those of the bundle (lib/bundle), and those that
 * a pool's worker gets compiled (bootstrap.js).
 *
 * All of these modules are in Node's registry from the beginning, each under its file's name, and run when their exports are
 * first read: code that requires one of our files, in whatever way and at whatever time, gets the one module there is. The
 * loader holds them besides: a module that runs late meets those that ran before, also where a program has cleared the
 * registry in between.
 *
 * Relies on: `module.constructor`, which is what 'node:module' exports (to load that one costs a worker 1 ms and 16 more
 * modules); `Module._cache`, in which `require` looks by file name, and takes the `exports` of a module that is `loaded`; and
 * a module being a function of five names. All of them are in Node 20 to 26, and have been since Node 0.x.
 * Without `_cache`: our modules are in no registry but this one.
 * Test: __test__/runtime/module-loader.test.js, __test__/runtime/compiled-modules.test.js.
 */

const path = require('node:path');

const { defineProperty } = Object;

/** Node's registry of modules, by file name; undefined where this is not a module of Node's own (under Jest, say). */
function nodeRegistry(Class) {
  const cache = Class?._cache;
  return typeof cache === 'object' && cache !== null ? cache : undefined;
}

/** Where Node has no class for it. */
class PlainModule {
  exports = {};
  loaded = false;

  constructor(id) {
    this.id = id;
  }
}

/**
 * @param {object} options
 * @param {string} options.root folder of the modules' files
 * @param {string[]} options.ids names of the modules that are in memory: their files seen from `root`, without `.js`; others
 *   are loaded by `require`
 * @param {(id: string) => Function} options.functionOf the function that Node would make of that file
 * @param {object} options.parent module in whose name the others are made
 * @param {NodeRequire} options.require of `parent`
 * @param {{ sourceOf(id: string): string | undefined }} [options.bundle] put on each `require`: what says to our modules that
 *   they come from the bundle, and gives their sources
 * @returns {{ load(id: string): unknown, put(file: string): object }}
 */
function moduleLoader({ root, ids, functionOf, parent, require, bundle }) {
  const registry = nodeRegistry(parent.constructor);
  const NodeModule = registry === undefined ? PlainModule : parent.constructor;
  const modules = new Map(ids.map((id) => [id, known(id)]));

  /** The module that Node has of this file, or else one that runs when its exports are first read. */
  function known(id) {
    const file = path.join(root, `${id}.js`);
    return registry?.[file] ?? runLater(id, put(file));
  }

  function put(file) {
    const made = new NodeModule(file, parent);
    made.filename = file;
    made.path ??= path.dirname(file);
    made.paths = parent.paths;
    made.loaded = true;
    if (registry !== undefined) registry[file] = made;
    return made;
  }

  function runLater(id, made) {
    const become = (exports) =>
      defineProperty(made, 'exports', { __proto__: null, value: exports, enumerable: true, configurable: true, writable: true });
    const run = () => {
      become({});
      try {
        functionOf(id).call(made.exports, made.exports, requireFrom(id), made, made.filename, made.path);
      } catch (error) {
        // As Node does: who asks again gets the error again, and not half a module.
        runLater(id, made);
        throw error;
      }
      return made.exports;
    };
    return defineProperty(made, 'exports', { __proto__: null, get: run, set: become, enumerable: true, configurable: true });
  }

  const load = (id) => (modules.has(id) ? modules.get(id).exports : require(path.join(root, `${id}.js`)));

  /** The module that `name` means in a module of `folder` ('' or with a slash at its end); undefined: none of these. */
  function find(folder, name) {
    // Folders of ours hold no folders.
    const id = name.startsWith('./') ? folder + name.slice(2) : name.slice(3);
    return modules.get(id) ?? modules.get(`${id}/index`);
  }

  function requireFrom(requirer) {
    const folder = requirer.slice(0, requirer.indexOf('/') + 1);
    const own = (name) => {
      if (!name.startsWith('.')) return require(name);
      const module = find(folder, name);
      return module === undefined ? require(path.join(root, folder, name)) : module.exports;
    };
    own.resolve = require.resolve;
    own.bundle = bundle;
    return own;
  }

  return { load, put };
}

module.exports = { moduleLoader };
