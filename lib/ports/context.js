'use strict';

/**
 * `moveMessagePortToContext` for ports of ours. A port for another context must be made of that context's own
 * objects, which only Node can do: so a port of Node's goes there, and messages pass between the two in this one.
 */

const { types } = require('node:util');

const { moveMessagePortToContext: nodeMove } = require('../runtime/port-contexts');
const { MessageChannel: NodeMessageChannel } = require('../runtime/worker-threads');

const { closedPort } = require('../runtime/closed-port');
const { setTimeout } = require('../runtime/clock');
const { isPort, typeOf } = require('../transfer/registry');
const { holdsOurs, nodeTransferablesIn } = require('../transfer/search');
const { replaceRecords } = require('../transfer/serialization');
const { adoptPort } = require('./transfer');

/** Whether a message passed lately, which may be on its way still. */
let busy = false;
let watching = false;

/** Neither port of a bridge holds the event loop, and a message takes two turns of it: the last messages should get them. */
function giveTurns() {
  if (watching) return;
  watching = true;
  process.on('beforeExit', () => {
    if (!busy) return;
    busy = false;
    setTimeout(() => {}, 1);
  });
}

/** Posts a message that has arrived on to `to`, a port of ours or of Node's. */
function pass({ data, ports }, to) {
  busy = true;
  const instead = new Map();
  const list = ports.map((port) => {
    if (typeOf(port) === undefined) return port;
    // A port of ours arrives in the other context as one of Node's.
    const { port1, port2 } = new NodeMessageChannel();
    bridge(port, port1);
    instead.set(port, port2);
    return port2;
  });
  const value = instead.size > 0 ? replaceRecords(data, instead) : data;
  const known = new Set(list);
  // An object of ours would be made of this context's objects.
  let isReadable = !holdsOurs(value);
  try {
    if (isReadable) to.postMessage(value, [...list, ...nodeTransferablesIn(value).filter((object) => !known.has(object))]);
  } catch {
    isReadable = false;
  }
  if (isReadable) return;
  for (const port of list) port.close();
  tellUnreadable(to);
}

/** Makes a 'messageerror' at the other end, by an object of Node's that Node can make in its main context alone. */
function tellUnreadable(to) {
  const { BlockList } = require('node:net');
  to.postMessage(new BlockList());
}

function bridge(ours, nodes) {
  ours.addEventListener('message', (event) => pass(event, nodes));
  ours.addEventListener('messageerror', () => tellUnreadable(nodes));
  nodes.addEventListener('message', (event) => pass(event, ours));
  ours.once('close', () => nodes.close());
  nodes.once('close', () => ours.close());
  ours.unref();
  nodes.unref();
  busy = true;
  giveTurns();
}

/**
 * Node's `moveMessagePortToContext`, for ports of ours too.
 *
 * @param {import('node:worker_threads').MessagePort} port closed here afterwards
 * @param {object} context of `vm.createContext`
 * @returns {object} a port of Node's, with the prototypes of that context
 * @throws {Error} what Node throws: the port is closed, or an argument is of the wrong type
 */
function moveMessagePortToContext(port, context) {
  if (typeof port !== 'object' || port === null || types.isProxy(port) || !isPort(port)) return nodeMove(port, context);
  // Of the copy that made the port.
  const type = typeOf(port);
  if (type.isDetached(port)) return nodeMove(closedPort(), context);
  const { port1: near, port2: far } = new NodeMessageChannel();
  let moved;
  try {
    moved = nodeMove(far, context);
  } catch (error) {
    near.close();
    throw error;
  }
  const content = type.serialize(port);
  type.posted(port, content);
  bridge(adoptPort(content), near);
  return moved;
}

module.exports = { moveMessagePortToContext };
