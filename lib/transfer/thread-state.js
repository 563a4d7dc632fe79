'use strict';

/**
 * What all copies of this package in one JavaScript thread know together: there may be several (two in node_modules;
 * under Jest one for each test file), and they meet at the same objects and ports of Node's.
 *
 * It hangs on a class of Node's own, which is one and the same in every realm and for every module registry.
 */

const { keptOn } = require('../runtime/host-realm');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');

/** With a number that a change of the meanings would change. */
const KEY = Symbol.for('rust-workers.thread.1');

/**
 * @typedef {object} ThreadState
 * @property {boolean} awake whether there ever was an object that travels
 * @property {WeakSet<object>} kinds all that were registered: nothing else is taken for one
 * @property {WeakMap<object, Map<number, object>>} roads a port of Node's -> image -> what that image put on it
 * @property {WeakMap<object, unknown>} opened a message as it came -> what it was, where it may be asked for again
 */

/** @returns {ThreadState} */
const makeState = () => ({
  awake: false,
  kinds: new WeakSet(),
  roads: new WeakMap(),
  opened: new WeakMap(),
});

module.exports = { makeState };

// Made by the copy that outlives the realms of test files.
module.exports.shared = keptOn(NodeMessagePort, KEY, module, (host) => host.makeState());
