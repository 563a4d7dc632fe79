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
 * @returns {{ load(id: string): unknown }}
 */
function moduleLoader({ root, ids, functionOf, parent, require, bundle }) {
  const NodeModule = parent.constructor;
  const registry = nodeRegistry(NodeModule);
  const { paths } = parent;

  /** A module that runs when its exports are first read. */
  class Later {
    #name;
    loaded = true;
    children = [];
    paths = paths;

    constructor(name, file) {
      this.#name = name;
      this.id = this.filename = file;
      this.path = file.slice(0, file.lastIndexOf(path.sep));
    }

    get exports() {
      this.exports = {};
      try {
        functionOf(this.#name).call(this.exports, this.exports, requireFrom(this.#name), this, this.filename, this.path);
      } catch (error) {
        // As Node does: who asks again gets the error again, and not half a module.
        delete this.exports;
        throw error;
      }
      return this.exports;
    }

    set exports(value) {
      defineProperty(this, 'exports', { __proto__: null, value, enumerable: true, configurable: true, writable: true });
    }
  }
  // To other code it is a module like any.
  if (registry !== undefined) {
    Object.setPrototypeOf(Later.prototype, NodeModule.prototype);
    defineProperty(Later.prototype, 'constructor', { __proto__: null, value: NodeModule });
  }

  const fileOf = path.sep === '/' ? (id) => `${root}/${id}.js` : (id) => path.join(root, `${id}.js`);

  /** The module that Node has of this file, or else one of ours, which Node will have from now on. */
  function known(id) {
    const file = fileOf(id);
    const ofNode = registry?.[file];
    if (ofNode !== undefined) return ofNode;
    const made = new Later(id, file);
    if (registry !== undefined) registry[file] = made;
    return made;
  }

  const modules = new Map(ids.map((id) => [id, known(id)]));

  const load = (id) => (modules.has(id) ? modules.get(id).exports : require(fileOf(id)));

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

  return { load };
}

module.exports = { moduleLoader };
