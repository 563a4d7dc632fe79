'use strict';

/**
 * The two ends of the channel between a Worker's thread and its parent, as objects with `postMessage` and `[DISPATCH]`
 * (port-symbols.js), where messages that leave and arrive can be looked at.
 *
 * Relies on, in Node 20 to 26: the parent's port (`publicPortOf` of port-symbols.js), and `threadId` being a getter of
 * Worker's prototype, which a subclass cannot cover.
 * On Bun and Deno: a Worker posting by its method `postMessage`, and emitting each message by its method `emit`; the
 * thread's `parentPort` passing each message to the listeners that its methods add. There both are covered; listeners that
 * were added to `parentPort` before the package was loaded get messages as they come.
 * A port in a message that a thread did not read before it ended stays open there (denoland/deno#21964, oven-sh/bun#43374);
 * lib/worker/lost-messages.js looks after ours.
 * Without: messages arrive as they are, objects of ours in them as records.
 * Test: __test__/runtime/node-ports.test.js, __test__/runtimes/.
 */

const { DISPATCH, RECEIVED_PORTS, publicPortOf } = require('./port-symbols');
const { isDeno, isNode } = require('./which');
const { MessagePort: NodeMessagePort, Worker: NodeWorker } = require('./worker-threads');

const hide = (object, key, value) =>
  Object.defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: false, configurable: true });

/** The parent's end of a Worker's channel, where there is no port. */
function channelOfWorker(worker) {
  const { emit, postMessage } = NodeWorker.prototype;
  const channel = {
    postMessage: (...args) => Reflect.apply(postMessage, worker, args),
    [DISPATCH]: (data, type) => emit.call(worker, type, data),
    onEnd: (ended) => worker.once('exit', ended),
  };
  hide(worker, 'postMessage', (...args) => channel.postMessage(...args));
  hide(worker, 'emit', function (type, ...args) {
    if (type === 'message') return channel[DISPATCH](args[0], type, undefined);
    return Reflect.apply(Object.getPrototypeOf(worker).emit, this, [type, ...args]);
  });
  return channel;
}

/** The parent's end of a Worker's channel. */
const channelOf = isNode ? publicPortOf : channelOfWorker;

const { get: threadIdGetter } = isNode ? Object.getOwnPropertyDescriptor(NodeWorker.prototype, 'threadId') : {};

/** A Worker's number: what Node knows, where a subclass covers its getter. */
const threadIdOf = isNode ? (worker) => Reflect.apply(threadIdGetter, worker, []) : (worker) => worker.threadId;

/** Calls `ended` once the thread at the other end of a channel has ended. */
function onChannelEnd(channel, ended) {
  if (channel.onEnd !== undefined) channel.onEnd(ended);
  else NodeMessagePort.prototype.addEventListener.call(channel, 'close', ended, { once: true });
}

/** Whether the runtime closes a port when the message that it was in is lost with its thread. Bun does so at times. */
const closesLostPorts = isNode;

/**
 * Makes the thread's `parentPort` pass its messages by `[DISPATCH]`, and have the methods that Node's has.
 *
 * @param {object} port `parentPort`
 */
function prepareParentPort(port) {
  if (isNode || Object.hasOwn(port, DISPATCH)) return;
  const { addEventListener, removeEventListener, ref, unref } = port;
  const pass = (event) => {
    hide(port, RECEIVED_PORTS, event.ports);
    port[DISPATCH](event.data, event.type, undefined);
    hide(port, RECEIVED_PORTS, undefined);
  };
  const { becomeOwn } = require('./own-event-target');
  // The runtime's port has one listener of each type, as long as ours has any; by this it holds the event loop.
  becomeOwn(port, (size, type, wasAdded) => {
    if (wasAdded && size === 1) addEventListener.call(port, type, pass);
    else if (!wasAdded && size === 0) removeEventListener.call(port, type, pass);
    if (type !== 'message' || size !== (wasAdded ? 1 : 0)) return;
    if (wasAdded) ref?.call(port);
    else unref?.call(port);
  });
  if (isDeno) port.start?.();
}

module.exports = { channelOf, closesLostPorts, onChannelEnd, prepareParentPort, threadIdOf };
