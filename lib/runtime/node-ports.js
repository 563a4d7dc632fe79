'use strict';

/**
 * Node's ports and event targets from inside; on Bun and Deno, event targets of ours (own-event-target.js).
 *
 * The globals of the same names may be another realm's or a framework's (jsdom), which Node's event targets refuse.
 *
 * Relies on, in Node 20 to 26:
 * - `MessagePort.prototype` standing over `NodeEventTarget.prototype`, and that over `EventTarget.prototype` (since 15);
 * - the symbols described as `kNewListener`, `kRemoveListener` and `kCreateEvent` on these prototypes (since 15);
 * - a port's `hasRef` being false only of one that has closed, right after `ref` (since 18);
 * - a closed port that reads its transfer list before the value, and throws what is wrong with it (since 11).
 * Without: a port of ours cannot be an event target of Node's, so ports do not load, with an error that names what is
 * missing; the rest of the package works. On Bun and Deno `postMessage` returns nothing, so whether anybody will get a message
 * is not known; and a closed port, which may be asked for a message there, does not say that it is closed.
 * Test: __test__/runtime/node-ports.test.js.
 */

const { MessagePort: NodeMessagePort } = require('./worker-threads');
const { closedPort } = require('./closed-port');
const { symbolOf } = require('./port-symbols');
const { isNode } = require('./which');

const { addEventListener, hasRef, postMessage, ref, removeEventListener, unref } = NodeMessagePort.prototype;

/** What is Node's own. */
function fromNode() {
  const portPrototype = NodeMessagePort.prototype;
  const nodeEventTargetPrototype = Object.getPrototypeOf(portPrototype);
  const eventTargetPrototype = Object.getPrototypeOf(nodeEventTargetPrototype);
  /** The class of event targets that have `on` and `once` besides. */
  const { constructor: NodeEventTarget } = nodeEventTargetPrototype;
  /** Node's event for something given to listeners as a value: `(value, type)`. */
  const createEvent = portPrototype[symbolOf(portPrototype, 'kCreateEvent')];
  return {
    NodeEventTarget,
    createEvent,
    /** Its class is a CustomEvent. */
    Event: Object.getPrototypeOf(createEvent.call(new NodeEventTarget(), undefined, 'sample').constructor),
    /** The methods that are called on an event target when a listener was added or removed: `(size, type, …)`. */
    NEW_LISTENER: symbolOf(eventTargetPrototype, 'kNewListener'),
    REMOVE_LISTENER: symbolOf(eventTargetPrototype, 'kRemoveListener'),
    /** What the prototype of our ports inherits from. */
    portPrototype,
  };
}

const { Event, NEW_LISTENER, NodeEventTarget, REMOVE_LISTENER, createEvent, portPrototype } =
  isNode ? fromNode() : require('./own-event-target');

/** Whether a port of Node's is open, so that it can be asked for a message: Node says so only in this way. */
function isOpenInNode(port) {
  ref.call(port);
  const open = hasRef.call(port);
  unref.call(port);
  return open;
}

const isOpen = isNode ? isOpenInNode : () => true;

/** Posts by a port of the runtime's; false when nobody will get the message. */
const post = isNode
  ? (port, value, transfer) => postMessage.call(port, value, transfer) === true
  : (port, value, transfer) => {
    postMessage.call(port, value, transfer);
    return true;
  };

const READ = Symbol('read');
/** Cannot be cloned: by then Node has looked at the transfer list, and detached nothing. */
const UNCLONEABLE = {
  get value() {
    throw READ;
  },
};

/** The error that Node throws for this transfer list, as `{ error }`; undefined if it throws none. */
function refusalOfList(list) {
  try {
    postMessage.call(closedPort(), UNCLONEABLE, list);
  } catch (error) {
    if (error !== READ) return { error };
  }
  return undefined;
}

module.exports = {
  Event, NEW_LISTENER, NodeEventTarget, REMOVE_LISTENER, addEventListener, createEvent, isOpen, portPrototype, post,
  refusalOfList, removeEventListener,
};
