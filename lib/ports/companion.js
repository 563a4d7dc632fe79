'use strict';

/**
 * The channel of Node's own that stands beside one of ours, for what only Node can carry.
 *
 * It is made when it is first needed: before a message that Node has to carry is posted, and before an end leaves
 * this thread. Until then both ends are here, so each can be given its half. Its ports are never started (a listener
 * would take messages out of their order) and never hold the event loop. A message of Node's is posted before the
 * native one that marks its place, so it is there when its turn comes.
 *
 * A half that closes without our doing was lost with a message that nobody received. Then the end of our channel that
 * went the same way is parked for ever: the native side is told to let go of it.
 */

const { MessageChannel: NodeMessageChannel, MessagePort: NodeMessagePort, receiveMessageOnPort } =
  require('../node-threads');

const { closedPort } = require('../closed-port');
const { binding } = require('../native');
const nodeGlobals = require('../node-globals');

const { close, postMessage, hasRef, ref, unref } = NodeMessagePort.prototype;
const { addEventListener, removeEventListener } = nodeGlobals.EventTarget.prototype;

/** What each half in use does when it closes. */
const onClose = new WeakMap();

/** Takes a half into use: when it closes, `peerId` is forgotten in case it was lost with the other half. */
function adopt(half, peerId) {
  const forget = () => binding.forgetPort(peerId);
  onClose.set(half, forget);
  addEventListener.call(half, 'close', forget, { once: true });
  return half;
}

/** Before a half leaves this thread: the object that stays behind closes too, and that means nothing. */
function release(half) {
  removeEventListener.call(half, 'close', onClose.get(half));
}

/** Both halves for two ports of this thread, given their numbers. */
function pair(id, peerId) {
  const { port1, port2 } = new NodeMessageChannel();
  return [adopt(port1, peerId), adopt(port2, id)];
}

/** Whether a half is open still. Node says so only in this way. */
function isOpen(half) {
  ref.call(half);
  const open = hasRef.call(half);
  unref.call(half);
  return open;
}

module.exports = {
  adopt,
  release,
  pair,
  isOpen,
  /** Takes what is posted where nobody can get at it. */
  closedHalf: closedPort,
  close: (half) => close.call(half),
  post: (half, value, transfer) => postMessage.call(half, value, transfer),
  // Node 20 crashes when it is asked for a message of a port that has closed.
  receive: (half) => (half !== undefined && isOpen(half) ? receiveMessageOnPort(half) : undefined),
};
