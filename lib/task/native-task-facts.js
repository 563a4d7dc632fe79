'use strict';

/** The native tasks that a pool has, by name, and what it must know of each; all of it comes from Rust (src/tasks/registry.rs). */

const { TaskExistsError } = require('../errors');
const { binding } = require('../native');

/** Before a name: the native task of that name, whatever a script exports. */
const PREFIX = 'native:';

/** Whether a name can only be that of a native task. */
const isNativeOnly = (name) => name.startsWith(PREFIX);

/**
 * @typedef {object} NativeTask
 * @property {number} number by which the native side knows it
 * @property {string} name
 * @property {boolean} inPlace whether it changes its input's memory in place, and returns that memory
 * @property {boolean} parallel whether several threads can work on it
 * @property {boolean} wakesPlain whether it wakes threads that wait by plain `Atomics.wait`
 */

/**
 * @typedef {object} LoadedPack
 * @property {string} name as the pack calls itself
 * @property {string} version
 * @property {string} path of its library: two with one path are one
 * @property {NativeTask[]} tasks
 */

/** The tasks that a pool knows. */
class NativeTasks {
  /** @type {Map<string, NativeTask>} */
  #byName = new Map();
  /** @type {string[]} */
  names = [];
  /** @type {Map<string, LoadedPack>} those in use, by path */
  packs = new Map();

  constructor(tasks) {
    this.#put(tasks);
  }

  /** The task of that name; undefined when there is none. */
  get(name) {
    return this.#byName.get(name);
  }

  /** These and those of a pack, for one pool. */
  with(pack) {
    if (this.packs.has(pack.path)) return this;
    for (const { name } of pack.tasks) if (this.#byName.has(name)) throw this.#exists(name, pack);
    const all = new NativeTasks(tasks);
    for (const other of [...this.packs.values(), pack]) {
      all.packs.set(other.path, other);
      all.#put(other.tasks);
    }
    return all;
  }

  #put(added) {
    for (const task of added) this.#byName.set(task.name, task).set(PREFIX + task.name, task);
    this.names = [...this.names, ...added.map(({ name }) => name)];
  }

  #exists(name, { path }) {
    const other = [...this.packs.values()].find((pack) => pack.tasks.some((task) => task.name === name));
    const whose = other === undefined ? 'a built-in task of that name' : `a task of that name from the pack '${other.path}'`;
    return new TaskExistsError(
      `The pack '${path}' has a task '${name}', and this pool has ${whose}. Nothing of the pack was added: use it in a pool of its own, ` +
        'or build it with other names',
      { task: name },
    );
  }
}

const tasks = binding.nativeTasks();

/** Those of every pool. */
const BUILT_IN = new NativeTasks(tasks);

module.exports = { BUILT_IN, isNativeOnly };
