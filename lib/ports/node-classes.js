'use strict';

/**
 * Classes of Node's own that our ports need, had from Node's own modules. The globals of the same names may be
 * another realm's or a framework's (jsdom), which Node's event targets refuse.
 */

const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { closedPort } = require('../closed-port');

const NodeEventTarget = Object.getPrototypeOf(NodeMessagePort.prototype).constructor;

/** A symbol of Node's that only its classes have, by its description. */
function symbolOf(prototype, description) {
  return Object.getOwnPropertySymbols(prototype).find((symbol) => symbol.description === description);
}

const eventTargetPrototype = Object.getPrototypeOf(NodeEventTarget.prototype);
/** What Node calls on an event target when a listener was added or removed: `(size, type, …)`. */
const NEW_LISTENER = symbolOf(eventTargetPrototype, 'kNewListener');
const REMOVE_LISTENER = symbolOf(eventTargetPrototype, 'kRemoveListener');
const CREATE_EVENT = symbolOf(NodeMessagePort.prototype, 'kCreateEvent');

/** Node's event for something given to listeners as a value: `(value, type)`. */
const createEvent = NodeMessagePort.prototype[CREATE_EVENT];

/** Its class is a CustomEvent. */
const Event = Object.getPrototypeOf(createEvent.call(new NodeEventTarget(), undefined, 'sample').constructor);

let DOMException;

/** @param {string} message */
function dataCloneError(message) {
  if (DOMException === undefined) {
    try {
      closedPort().postMessage(Symbol('sample'));
    } catch (error) {
      DOMException = error.constructor;
    }
  }
  return new DOMException(message, 'DataCloneError');
}

module.exports = { Event, NEW_LISTENER, NodeEventTarget, REMOVE_LISTENER, createEvent, dataCloneError };
