'use strict';

/**
 * The public face where the addon cannot be loaded: under --no-addons, under the permission model without
 * --allow-addons, or where it was never built. What `worker_threads` has is Node's own. What is ours is there by name, so
 * that programs which may never use it load, and says what to do as soon as it is used.
 */

const { BindingNotFoundError, publicClasses } = require('../errors');
const nodeThreads = require('../runtime/worker-threads');

/** Ours that are objects to look into; the others are classes and functions. */
const OBJECTS = new Set(['rustAtomics', 'task']);

/** What a port of ours can do and Node's cannot. */
const PORT_METHODS = ['trySend', 'send', 'receive', 'receiveSync', Symbol.asyncIterator];

/**
 * @param {BindingNotFoundError} reason
 * @param {string[]} names of all that the package exports
 */
function faceWithout(reason, names) {
  // A new one for each use: its stack tells where that was.
  const refuse = () => {
    const { message, attempts, cause } = reason;
    throw new BindingNotFoundError(message, { attempts, cause });
  };

  function standIn(name) {
    const target = OBJECTS.has(name) ? {} : Object.defineProperty(function () {}, 'name', { value: name });
    return new Proxy(target, {
      apply: refuse,
      construct: refuse,
      // What is asked of any object or class without being used (`then`: by `await`) is answered.
      get: (object, key) => (typeof key === 'symbol' || key === 'then' || key in object ? object[key] : refuse()),
    });
  }

  /** Node's channel; what is beyond it is refused. */
  function MessageChannel(options) {
    if (new.target === undefined) return nodeThreads.MessageChannel();
    if (options !== undefined) refuse();
    const channel = Reflect.construct(nodeThreads.MessageChannel, [], new.target);
    for (const port of [channel.port1, channel.port2]) {
      for (const method of PORT_METHODS) Object.defineProperty(port, method, { value: refuse, configurable: true });
    }
    return channel;
  }

  const face = Object.defineProperties({}, Object.getOwnPropertyDescriptors(nodeThreads));
  for (const name of names) if (!(name in face)) face[name] = standIn(name);
  return Object.assign(face, { MessageChannel, errors: Object.freeze(publicClasses) });
}

module.exports = { faceWithout };
