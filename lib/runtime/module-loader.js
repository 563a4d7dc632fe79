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
 * modules); `Module._cache`, in which `require` looks by file name, and takes the `exports` of a module that is `loaded`; a
 * module being a function of five names; and `module._compile`, which runs a text as the module's (no hook that changes
 * sources sees it). All of them are in Node 20 to 26, and have been since Node 0.x.
 * Without `_cache`: our modules are in no registry but this one. Without `_compile`: `require` loads the files.
 * Test: __test__/runtime/module-loader.test.js, __test__/runtime/compiled-modules.test.js, __test__/bundle.test.js.
 */

const { readFileSync } = require('node:fs');
const path = require('node:path');

const { defineProperty } = Object;

/** Node's registry of modules, by file name; undefined where this is not a module of Node's own (under Jest, say). */
function nodeRegistry(Class) {
  const cache = Class?._cache;
  return typeof cache === 'object' && cache !== null ? cache : undefined;
}

/**
 * Our files by themselves: without what may stand in the place of Node's `require` by then, and without hooks that change
 * sources.
 *
 * @param {object} parent
 * @param {string} id stands in each of the files; in others of the same name, which a later version brought, there is another
 * @returns {{ read(name: string): Buffer, load(name: string): object } | undefined} the bytes and the exports of a file of that
 *   name, without `.js`, in the folder of `parent`; undefined where `parent` is not a module of Node's own
 */
function ownFiles(parent, id) {
  const NodeModule = parent.constructor;
  if (nodeRegistry(NodeModule) === undefined || typeof NodeModule.prototype?._compile !== 'function') return undefined;
  const fileOf = (name) => path.join(path.dirname(parent.filename), `${name}.js`);
  function read(name) {
    const file = fileOf(name);
    const text = readFileSync(file);
    if (!text.includes(id)) throw new Error(`${file} was replaced after rust-workers was loaded: start this process again`);
    return text;
  }
  function load(name) {
    const file = fileOf(name);
    const text = read(name).latin1Slice();
    const made = new NodeModule(file, parent);
    made.filename = file;
    made.paths = parent.paths;
    made._compile(text, file, 'commonjs');
    return made.exports;
  }
  return { load, read };
}

/**
 * @param {object} options
 * @param {string} options.root folder of the modules' files
 * @param {string[]} options.ids names of the modules that are in memory: their files seen from `root`, without `.js`; others
 *   are loaded by `require`
 * @param {(id: string) => Function} options.functionOf the function that Node would make of that file
 * @param {object} options.parent module in whose name the others are made
 * @param {NodeRequire} options.require of `parent`
 * @param {{ workerSources(): Map<string, Buffer> }} [options.bundle] put on each `require`: what says to our modules that
 *   they come from the bundle, and gives the sources of a pool's worker
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

  /** By name: the module that Node has of this file, or else one of ours. */
  const modules = new Map();
  for (const id of ids) {
    const file = fileOf(id);
    modules.set(id, registry?.[file] ?? new Later(id, file));
  }
  // Once all of them are there: the stack may end before.
  if (registry !== undefined) modules.forEach((made) => made instanceof Later && (registry[made.filename] = made));

  const load = (id) => (modules.has(id) ? modules.get(id).exports : require(fileOf(id)));

  /** The module that `name` means in a module of `folder` ('' or with a slash at its end); undefined: none of these. */
  function find(folder, name) {
    // Folders of ours hold no folders.
    const id = name.startsWith('./') ? folder + name.slice(2) : name.slice(3);
    return modules.get(id) ?? modules.get(`${id}/index`);
  }

  /** Exports of our other files, by folder and name. To ask Node again takes 10 µs, and functions of ours require in each call. */
  const others = new Map();
  function other(folder, name) {
    const key = folder + name;
    if (!others.has(key)) others.set(key, require(path.join(root, folder, name)));
    return others.get(key);
  }

  function requireFrom(requirer) {
    const folder = requirer.slice(0, requirer.indexOf('/') + 1);
    const own = (name) => {
      if (!name.startsWith('.')) return require(name);
      const module = find(folder, name);
      return module === undefined ? other(folder, name) : module.exports;
    };
    own.resolve = require.resolve;
    own.bundle = bundle;
    return own;
  }

  return { load };
}

module.exports = { moduleLoader, ownFiles };
