'use strict';

/**
 * The package's exports where the addon cannot be loaded: under --no-addons, under the permission model without
 * --allow-addons, or where it was never built. The names of `worker_threads` are Node's own. The names of ours exist, so that
 * programs load that may never use them; a use of one throws the error that says what to do.
 */

const { BindingNotFoundError, publicClasses } = require('../errors');
const nodeThreads = require('../runtime/worker-threads');

/** Names of objects with properties; the others are classes and functions. */
const OBJECTS = new Set(['rustAtomics', 'task']);

/** What a port of ours can do and Node's cannot. */
const PORT_METHODS = ['trySend', 'send', 'receive', 'receiveSync', Symbol.asyncIterator];

/**
 * @param {BindingNotFoundError} reason
 * @param {string[]} names of all that the package exports
 */
function exportsWithout(reason, names) {
  // A new one for each use, whose stack names the place of the use.
  const refuse = () => {
    const { message, attempts, cause } = reason;
    throw new BindingNotFoundError(message, { attempts, cause });
  };

  function standIn(name) {
    const target = OBJECTS.has(name) ? {} : Object.defineProperty(function () {}, 'name', { value: name });
    return new Proxy(target, {
      apply: refuse,
      construct: refuse,
      // Properties that programs read of any object or class without using it (`then`: `await` does) are there.
      get: (object, key) => (typeof key === 'symbol' || key === 'then' || key in object ? object[key] : refuse()),
    });
  }

  /** Node's channel; a use of anything that it does not have is refused. */
  function MessageChannel(options) {
    if (new.target === undefined) return nodeThreads.MessageChannel();
    if (options !== undefined) refuse();
    const channel = Reflect.construct(nodeThreads.MessageChannel, [], new.target);
    for (const port of [channel.port1, channel.port2]) {
      for (const method of PORT_METHODS) Object.defineProperty(port, method, { value: refuse, configurable: true });
    }
    return channel;
  }

  const all = Object.defineProperties({}, Object.getOwnPropertyDescriptors(nodeThreads));
  for (const name of names) if (!(name in all)) all[name] = standIn(name);
  return Object.assign(all, { MessageChannel, errors: Object.freeze(publicClasses) });
}

module.exports = { exportsWithout };
