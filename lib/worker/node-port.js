'use strict';

/**
 * The channel between a Worker's thread and its parent, at either end: a port of Node's. It stays Node's own object, so
 * that all code that has it, or hears of its messages, in whatever way, has the same one. Messages that leave and that
 * arrive by it are looked at.
 *
 * Two copies of the package with an addon each may both have prepared a port. Each looks after its own objects and
 * messages, and leaves the other's to it.
 */

const nodeGlobals = require('../runtime/globals');
const { DISPATCH, RECEIVED_PORTS } = require('../runtime/port-symbols');
const { typeByTag } = require('../transfer/registry');
const { IMAGE, WorkerRoute, unseal } = require('../transfer/seal');
const { deserialize, serialize } = require('../transfer/serialization');
const { shared } = require('../transfer/thread-state');
const { sentTo } = require('./lost-messages');
const { expectReader } = require('./unread');

function hide(object, key, value) {
  Object.defineProperty(object, key, {
    __proto__: null, value, writable: true, enumerable: false, configurable: true,
  });
}

/** A serialized message for a channel that carries users' messages as they are. */
const asMessage = (serialized, seal) => (serialized.isPlain ? serialized.bundle.value : seal(serialized.bundle));

/**
 * The ports that came with a message, ours among them: what Node lists is the part of each that went by Node's list.
 *
 * @returns {object[] | undefined} undefined when none is ours
 */
function portsOf(records, objects, received) {
  const instead = new Map();
  for (const record of records) {
    const parts = typeByTag(record.typeTag).nodeTransferables?.(record.content) ?? [];
    for (const part of parts) instead.set(part, objects.get(record));
  }
  return instead.size > 0 ? received?.map((port) => instead.get(port) ?? port) : undefined;
}

/** Node's MessageEvent takes no ports but those of its own make. */
function eventWithPorts(data, ports) {
  const event = new nodeGlobals.MessageEvent('message', { data });
  return Object.defineProperty(event, 'ports', {
    __proto__: null, value: Object.freeze(ports), enumerable: true, configurable: true,
  });
}

/** The images that have prepared a port, with the route of each. */
function preparedBy(port) {
  let routes = shared.routes.get(port);
  if (routes === undefined) shared.routes.set(port, (routes = new Map()));
  return routes;
}

/**
 * Lets messages with objects of ours leave and arrive by a port of Node's.
 *
 * @param {object} port
 * @param {number} thread the Worker's `threadId`
 * @param {boolean} isParents whether this is the parent's end
 * @param {object} [options]
 * @param {() => boolean} [options.isTaken] asked before a message is posted: whether it is taken, as it is, before it comes to
 *   the port
 * @param {import('../transfer/serialization').Bundle} [options.first] what the Worker was started with
 */
function prepare(port, thread, isParents, { isTaken = () => false, first } = {}) {
  const routes = preparedBy(port);
  if (routes.has(IMAGE)) return;
  const route = new WorkerRoute(thread, isParents);
  routes.set(IMAGE, route);

  const seal = (bundle) => route.seal(bundle);
  const sent = isParents ? sentTo(port) : undefined;
  if (first !== undefined) sent?.add(first);
  let isFirst = true;
  let expectation;
  const { postMessage: nodePostMessage, [DISPATCH]: nodeDispatch } = port;

  function postMessage(...args) {
    const serialized = this === port && !isTaken() ? serialize(args[0], args[1], routes) : undefined;
    if (serialized === undefined) return Reflect.apply(nodePostMessage, this, args);
    return serialized.post((_, list) => {
      const result = Reflect.apply(nodePostMessage, this, [asMessage(serialized, seal), list]);
      sent?.add(serialized.bundle);
      if (isFirst && !serialized.isPlain) {
        isFirst = false;
        expectation = expectReader(port, thread, isParents);
      }
      return result;
    });
  }

  function dispatch(data, type, event) {
    if (expectation !== undefined && type === 'message') expectation.posted();
    const bundle = type === 'message' ? route.unseal(data) : undefined;
    if (bundle === undefined || (bundle.image !== IMAGE && routes.has(bundle.image))) {
      return Reflect.apply(nodeDispatch, this, [data, type, event]);
    }
    let message;
    let ports;
    try {
      message = deserialize(bundle, (objects) => {
        ports = portsOf(bundle.records, objects, this[RECEIVED_PORTS]);
      });
    } catch (error) {
      return Reflect.apply(nodeDispatch, this, [error, 'messageerror', event]);
    }
    const given = ports === undefined ? event : eventWithPorts(message, ports);
    return Reflect.apply(nodeDispatch, this, [message, type, given]);
  }

  hide(port, 'postMessage', postMessage);
  hide(port, DISPATCH, dispatch);
}

/** Opens a message of ours that came by `receiveMessageOnPort`, which calls no listener. Other messages stay as they are. */
function opened(message, port) {
  const route = shared.routes.get(port)?.get(IMAGE);
  const bundle = route === undefined ? unseal(message) : route.unseal(message);
  return bundle === undefined ? message : deserialize(bundle);
}

module.exports = { asMessage, opened, prepare };
