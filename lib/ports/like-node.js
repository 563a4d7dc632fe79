'use strict';

/**
 * The likeness of our ports to Node's: an async resource and an event target, which only a channel can make, with a
 * prototype of the same names.
 */

const { AsyncResource } = require('node:async_hooks');

const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { hasContext: hasContextBeside } = require('../runtime/async-context');
const { createEvent, Event, NodeEventTarget, portPrototype } = require('../runtime/node-ports');

const nodePrototype = NodeMessagePort.prototype;

const { emitDestroy, runInAsyncScope } = AsyncResource.prototype;
/** The properties that the constructor of Node's event targets adds to an object. */
const EVENTS = Reflect.ownKeys(new NodeEventTarget());
/** The same as a set. */
const EVENT_STATE = new Set(EVENTS);

/**
 * The base of our ports: an AsyncResource in the first place, since hooks have to get the port itself and its listeners
 * run in the async context it was made in; then it gets the state of an event target. (By `super` and assignments:
 * objects of `Reflect.construct` have a shape each, which makes every access slow.)
 */
class PortBase extends AsyncResource {
  constructor() {
    super('MESSAGEPORT');
    const events = new NodeEventTarget();
    for (const key of EVENTS) this[key] = events[key];
  }
}
Object.setPrototypeOf(PortBase.prototype, portPrototype);

/** Whether code would notice in which async context the listeners of a new port run. */
const hasContext = (port) => hasContextBeside(port, EVENT_STATE);

/** Calls `run` as a method of the port in the port's own async context. */
const inContext = (port, run) => runInAsyncScope.call(port, run, port);

/** Ends the port for async hooks. */
const destroyed = (port) => emitDestroy.call(port);

/**
 * The constructor that programs see. Its prototype has the names that Node's has as its own, and inherits what we
 * add; called or constructed it throws what Node's throws, as a class could not.
 *
 * @param {Function} Made a subclass of the class with the methods, with nothing in it: the class of every port
 * @returns {Function}
 */
function publicFace(Made) {
  function MessagePort() {
    NodeMessagePort();
  }
  const { prototype } = Made;
  const methods = Object.getPrototypeOf(prototype);
  for (const name of Object.getOwnPropertyNames(nodePrototype)) {
    if (name === 'constructor') continue;
    const from = [methods, portPrototype].find((object) => Object.hasOwn(object, name)) ?? nodePrototype;
    const descriptor = Object.getOwnPropertyDescriptor(from, name);
    Object.defineProperty(prototype, name, { ...descriptor, enumerable: true });
  }
  for (const object of [prototype, methods]) {
    Object.defineProperty(object, 'constructor', { value: MessagePort, writable: true, configurable: true });
  }
  MessagePort.prototype = prototype;
  return Object.setPrototypeOf(MessagePort, NodeEventTarget);
}

/** The event of a port that has closed, by the name it has in Node. */
const CloseEvent = class MessagePortCloseEvent extends Event {
  constructor() {
    super('close');
  }
};

/** Node's event for a message with ports. Its class takes none but those of Node's own make: on Node 20 it looks inside. */
function eventWithPorts(port, data, ports) {
  const event = createEvent.call(port, data, 'message');
  return Object.defineProperty(event, 'ports', { value: Object.freeze([...ports]), enumerable: true });
}

module.exports = { CloseEvent, PortBase, destroyed, eventWithPorts, hasContext, inContext, publicFace };
