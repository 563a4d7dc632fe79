'use strict';

/**
 * The public face. What is new here goes into lib/index.mjs (a test compares) and index.d.ts too.
 *
 * In a worker of a pool a part of the package is loaded when its name is first read: a script that wants `task` alone
 * should not wait for locks, channels and pools. What must be in place from the beginning is loaded at once: the port to
 * the parent, on which messages may be waiting. Everywhere else all is loaded now: code that resets the module cache, as
 * test frameworks do, must not get one half of the package from before and one from after.
 */

// Before anything else: see its head.
require('./lib/runtime/worker-threads');

const { replacements, superset } = require('./lib/worker');

const PORTS = ['MessageChannel', 'MessagePort', 'moveMessagePortToContext'];

/** How to load what stands under each name. */
const loaders = {
  ...replacements,
  ...all(() => require('./lib/ports'), PORTS),
  ...all(() => require('./lib/transfer/carry'), ['carry']),
  ...all(() => require('./lib/pool/worker-pool'), ['WorkerPool']),
  ...all(() => require('./lib/script-pool/transfer'), ['move']),
  task() {
    const { Task } = require('./lib/script-pool/task');
    return new Task(require('./lib/native').binding);
  },
  ...all(() => require('./lib/locks'), ['Mutex', 'RwLock', 'Semaphore', 'Condvar', 'Barrier']),
  SharedBuffer: () => {
    require('./lib/shared-buffer/transfer');
    return require('./lib/shared-buffer/shared-buffer').SharedBuffer;
  },
  ...all(() => require('./lib/shared-buffer/rust-atomics'), ['rustAtomics']),
  errors: () => Object.freeze(require('./lib/errors').publicClasses),
};

/** Loaders for names that one file exports. */
function all(load, names) {
  return Object.fromEntries(names.map((name) => [name, () => load()[name]]));
}

/** A property that becomes what it is when it is first read. */
function lazy(name, load) {
  const become = (value) => {
    Object.defineProperty(module.exports, name, { value, enumerable: true, configurable: true, writable: true });
    return value;
  };
  return { get: () => become(load()), set: become, enumerable: true, configurable: true };
}

/** Why the addon is not there; undefined when it is. */
function whatIsMissing() {
  try {
    require('./lib/native');
    return undefined;
  } catch (error) {
    if (error.code !== 'ERR_RW_BINDING_NOT_FOUND') throw error;
    return error;
  }
}

const missing = whatIsMissing();
if (missing !== undefined) {
  module.exports = require('./lib/native/without-addon').faceWithout(missing, Object.keys(loaders));
} else {
  const { binding } = require('./lib/native');
  const { RUNNER } = require('./lib/script-pool/task');
  require('./lib/transferable-types');
  // In a script pool's worker an answer to a task is the runner's, which has put its own `postMessage` there before.
  require('./lib/worker/parent-port').openParentPort(() => binding[RUNNER]?.isAsked ?? false);
  // Ours in the place of Node's.
  module.exports = superset;
  for (const [name, load] of Object.entries(loaders)) Object.defineProperty(superset, name, lazy(name, load));
  const inPool = binding[RUNNER] !== undefined;
  if (!inPool) for (const name of Object.keys(loaders)) Reflect.get(superset, name);
}
