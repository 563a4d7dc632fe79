'use strict';

/**
 * The state that all copies of this package in one JavaScript thread share: there may be several (two in node_modules; under
 * Jest one for each test file), and they meet at the same objects and ports of Node's.
 *
 * It hangs on a class of Node's own, which is one and the same in every realm and for every module registry.
 */

const { keptOn } = require('../runtime/host-realm');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');

/** The number changes with the meaning of the shared state. */
const KEY = Symbol.for('rust-workers.thread.2');

/** The method of our ports behind `receiveMessageOnPort`, whichever copy made them. */
const RECEIVE = Symbol.for('rust-workers.receive');

/**
 * @typedef {object} ThreadState
 * @property {boolean} isSearching whether there ever was an object of a transferable type
 * @property {WeakSet<object>} types all transferable types that were registered: nothing else is taken for one
 * @property {WeakMap<object, Map<number, object>>} routes a port of Node's -> image -> the route of
 *   that image's messages on it
 * @property {WeakMap<object, unknown>} opened a message as it came -> the value that was in it, where it may be asked for again
 */

/** @returns {ThreadState} */
const makeState = () => ({
  isSearching: false,
  types: new WeakSet(),
  routes: new WeakMap(),
  opened: new WeakMap(),
});

module.exports = { RECEIVE, makeState };

// Made by the copy that outlives the realms of test files.
module.exports.shared = keptOn(NodeMessagePort, KEY, module, (host) => host.makeState());
