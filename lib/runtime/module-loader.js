'use strict';

/**
 * A `require` for modules of ours whose functions are in memory already: those of the bundle (lib/bundle), and those that
 * a pool's worker gets compiled (bootstrap.js).
 *
 * It keeps what it has loaded itself, so a module that is loaded late meets those that were loaded before, also where a
 * program has cleared the module registry in between. It puts each module where Node's `require` looks for it by file name,
 * too, so code that requires one of our files, in whatever way, gets this one.
 *
 * Relies on: `module.constructor`, which is what 'node:module' exports (to load that one costs a worker 1 ms and 16 more
 * modules); `Module._cache`, in which `require` looks by file name; and a module being a function of five names. All of them
 * are in Node 20 to 26, and have been since Node 0.x.
 * Without `_cache`: our modules are in no registry but this one.
 * Test: __test__/runtime/module-loader.test.js, __test__/runtime/compiled-modules.test.js.
 */

const path = require('node:path');

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
 * @param {(id: string) => boolean} options.has whether the module of the file `id`.js in `root` is in memory; others are
 *   loaded by `require`
 * @param {(id: string) => Function} options.functionOf the function that Node would make of that file
 * @param {object} options.parent module in whose name the others are made
 * @param {NodeRequire} options.require of `parent`
 * @param {{ sourceOf(id: string): string }} [options.bundle] put on each `require`: what says to our modules that they come
 *   from the bundle, and gives their sources
 * @returns {{ load(id: string): unknown, put(file: string, exports?: object): object }}
 */
function moduleLoader({ root, has, functionOf, parent, require, bundle }) {
  const registry = nodeRegistry(parent.constructor);
  const NodeModule = registry === undefined ? PlainModule : parent.constructor;
  const loaded = new Map();

  function put(file, exports) {
    const made = new NodeModule(file, parent);
    made.filename = file;
    made.path ??= path.dirname(file);
    made.paths = parent.paths;
    if (registry !== undefined) registry[file] = made;
    if (exports !== undefined) {
      made.exports = exports;
      made.loaded = true;
    }
    return made;
  }

  function load(id) {
    const known = loaded.get(id);
    if (known !== undefined) return known.exports;
    const file = path.join(root, `${id}.js`);
    if (!has(id)) return require(file);
    const ofNode = registry?.[file];
    if (ofNode !== undefined) {
      loaded.set(id, ofNode);
      return ofNode.exports;
    }
    const made = put(file);
    loaded.set(id, made);
    try {
      functionOf(id).call(made.exports, made.exports, requireFrom(id), made, file, made.path);
    } catch (error) {
      // As Node does: who asks again gets the error again, and not half a module.
      loaded.delete(id);
      if (registry?.[file] === made) delete registry[file];
      throw error;
    }
    made.loaded = true;
    return made.exports;
  }

  /** Which of ours `name` means, seen from a module in `folder` ('' or with a slash at its end); undefined: none. */
  function find(folder, name) {
    // Folders of ours hold no folders.
    const id = name.startsWith('./') ? folder + name.slice(2) : name.slice(3);
    if (has(id)) return id;
    return has(`${id}/index`) ? `${id}/index` : undefined;
  }

  function requireFrom(requirer) {
    const folder = requirer.slice(0, requirer.indexOf('/') + 1);
    const own = (name) => {
      if (!name.startsWith('.')) return require(name);
      const id = find(folder, name);
      return id === undefined ? require(path.join(root, folder, name)) : load(id);
    };
    return Object.assign(own, { resolve: require.resolve, bundle });
  }

  return { load, put };
}

module.exports = { moduleLoader };
