'use strict';

/**
 * The package's exports. A new one goes into index.mjs (a test compares) and index.d.ts too.
 *
 * Where the modules come from the bundle by Node's own `require`, and in a worker of a pool, a part of the package is loaded
 * when its name is first read: a program that wants one part should not wait for all. The port to the parent must be in place
 * from the beginning, as messages may be waiting on it. Everywhere else all is loaded at once: code that resets the module
 * registry, as test frameworks do, must not get one half of the package from before and one from after; and Jest mocks no
 * names that are accessors, and loads nothing once a test file has ended.
 */

// Before anything else: see its head.
require('./runtime/worker-threads');

const { makeSuperset, replacements } = require('./worker');

const PORTS = ['MessageChannel', 'MessagePort', 'moveMessagePortToContext'];

/** How to load what stands under each name. */
const loaders = {
  ...replacements,
  ...all(() => require('./ports'), PORTS),
  ...all(() => require('./transfer/carry'), ['carry']),
  ...all(() => require('./pool/worker-pool'), ['WorkerPool']),
  ...all(() => require('./script-pool/transfer'), ['move']),
  task() {
    const { Task } = require('./script-pool/task');
    return new Task(require('./native').binding);
  },
  ...all(() => require('./locks'), ['Mutex', 'RwLock', 'Semaphore', 'Condvar', 'Barrier']),
  SharedBuffer: () => {
    require('./shared-buffer/transfer');
    return require('./shared-buffer/shared-buffer').SharedBuffer;
  },
  ...all(() => require('./shared-buffer/rust-atomics'), ['rustAtomics']),
  ...all(() => {
    require('./shared-value/transfer');
    return require('./shared-value/shared-value');
  }, ['SharedValue', 'share']),
  errors: () => Object.freeze(require('./errors').publicClasses),
};

/** Loaders for names that one file exports. */
function all(load, names) {
  return Object.fromEntries(names.map((name) => [name, () => load()[name]]));
}

/**
 * A property that becomes what it is when it is first read, on the object that has it: programs copy properties from one
 * object to another. On a frozen object it stays as it is.
 */
function lazy(name, load) {
  const become = (object, value) =>
    Reflect.defineProperty(object, name, { __proto__: null, value, enumerable: true, configurable: true, writable: true });
  let isLoaded = false;
  let loaded;
  return {
    __proto__: null,
    get() {
      if (!isLoaded) {
        loaded = load();
        isLoaded = true;
      }
      if (this !== undefined && Object.hasOwn(this, name)) become(this, loaded);
      return loaded;
    },
    set(value) {
      if (!become(this, value)) throw new TypeError(`Cannot assign to read only property '${name}'`);
    },
    enumerable: true,
    configurable: true,
  };
}

/** Why the addon is not there; undefined when it is. */
function whatIsMissing() {
  try {
    require('./native');
    return undefined;
  } catch (error) {
    if (error.code !== 'ERR_RW_BINDING_NOT_FOUND') throw error;
    return error;
  }
}

const missing = whatIsMissing();
if (missing !== undefined) {
  module.exports = require('./native/without-addon').exportsWithout(missing, Object.keys(loaders));
} else {
  const { RUNNER, binding } = require('./native');
  require('./transferable-types');
  // In a script pool's worker an answer to a task is the runner's, which has put its own `postMessage` there before.
  require('./worker/parent-port').openParentPort(() => binding[RUNNER]?.isAsked ?? false);
  // Ours in the place of Node's.
  module.exports = makeSuperset();
  for (const [name, load] of Object.entries(loaders)) Object.defineProperty(module.exports, name, lazy(name, load));
  const isLazy = require.bundle !== undefined || binding[RUNNER] !== undefined;
  if (!isLazy) for (const name of Object.keys(loaders)) Reflect.get(module.exports, name);
}
