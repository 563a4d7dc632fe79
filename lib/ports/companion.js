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
 * went the same way is parked for ever: the native side is told to let go of it. So a port that closes while the other
 * end is on its way leaves its half open (unless payloads wait in it: then the half would not close by itself); and a
 * port whose other end has closed sends a *witness* along when it leaves, a port whose only use is to close when it is
 * lost. And a half in which something waits does not close: who has read all of it looks for the loss (`lookForLoss`).
 *
 * A half stands in the entry of its port in the table of ports (table.js): `{ id, peerId, half, isLost, early }`.
 */

const { MessageChannel: NodeMessageChannel, MessagePort: NodeMessagePort, receiveMessageOnPort } =
  require('../runtime/worker-threads');

const { setTimeout } = require('../runtime/clock');
const { closedPort } = require('../runtime/closed-port');
const { isOpen, refusalOfList: isRefused } = require('../runtime/node-ports');
const { binding } = require('../native');

const { close, postMessage } = NodeMessagePort.prototype;
const { addEventListener, removeEventListener } = Object.getPrototypeOf(
  Object.getPrototypeOf(NodeMessagePort.prototype),
);

/** What each half in use does when it closes. */
const onClose = new WeakMap();

function whenClosed(half, action) {
  const before = onClose.get(half);
  if (before !== undefined) removeEventListener.call(half, 'close', before);
  onClose.set(half, action);
  if (action !== undefined) addEventListener.call(half, 'close', action, { once: true });
}

/**
 * Gives a half to a port. One that closes stays with it: the thread with the other half may be ending, and our channel
 * is about to. What is posted to it until then is lost, as with any closed port.
 */
function adopt(half, entry) {
  entry.half = half;
  entry.isLost = false;
  whenClosed(half, () => {
    entry.isLost = true;
    binding.forgetPort(entry.peerId);
  });
}

/** Takes the half from a port that leaves or has ended: what closes here from now on means nothing. */
function release(entry) {
  const { half } = entry;
  if (half === undefined) return undefined;
  entry.half = undefined;
  whenClosed(half, undefined);
  return half;
}

/** A new channel, a half for each of two ports of this thread. */
function pair(entry, peerEntry) {
  const { port1, port2 } = new NodeMessageChannel();
  adopt(port1, entry);
  adopt(port2, peerEntry);
}

/**
 * A port has ended.
 *
 * @param {{ half: object | undefined, peerId: number }} entry
 * @param {boolean} watches whether its half is still to tell of the loss of the other end
 */
function end(entry, watches) {
  const half = release(entry);
  if (half === undefined) return;
  const { peerId } = entry;
  if (watches) whenClosed(half, () => binding.forgetPort(peerId));
  else close.call(half);
}

/**
 * A port to be sent along with the port that is announced by this key: when it closes, that one is let go of if nobody
 * has claimed it.
 */
function witness(key) {
  const { port1, port2 } = new NodeMessageChannel();
  const watch = { half: port1, key };
  witnesses.add(watch);
  whenClosed(port1, () => {
    witnesses.delete(watch);
    binding.dropPort(key);
  });
  return port2;
}

/** Here, for as long as the other port of each is open: `{ half, key }`. */
const witnesses = new Set();

/**
 * Looks whether the other end of a port was lost on its way.
 *
 * @param {object} entry of a port for which nothing waits, as far as is known
 * @param {() => boolean} isDrained whether that is so
 */
function lookForLoss(entry, isDrained) {
  const { half, peerId, early } = entry;
  if (half === undefined || early !== undefined) return;
  const transit = binding.portTransit(peerId);
  if (transit === ANNOUNCED) setTimeout(() => lookForLoss(entry, isDrained), SOON).unref();
  // While it is on its way nobody posts by it. So once it is parked, and nothing waits, the half holds at most its end,
  // which it sees when it is asked for a message.
  if (transit !== PARKED || !isDrained() || !isOpen(half)) return;
  try {
    entry.early = receiveMessageOnPort(half);
  } catch (error) {
    entry.early = { error };
  }
  if (isClosing(half)) binding.forgetPort(peerId);
}

/** What `portTransit` says. */
const ANNOUNCED = 1;
const PARKED = 2;
/** Milliseconds until who has announced a port has parked it, as a rule. */
const SOON = 10;

/** The same for ports whose witnesses are here. */
function lookAtWitnesses() {
  for (const watch of witnesses) {
    if (isOpen(watch.half)) receiveMessageOnPort(watch.half);
    if (isClosing(watch.half)) binding.dropPort(watch.key);
  }
}

/** Whether a half closes or has closed: then it cannot be moved. */
const isClosing = (half) => isRefused([half]) !== undefined;

/** The next of Node's messages for a port. */
function receive(entry) {
  const { half, early } = entry;
  if (early !== undefined) {
    entry.early = undefined;
    if (early.error !== undefined) throw early.error;
    return early;
  }
  // Node 20 crashes when it is asked for a message of a port that has closed.
  return half !== undefined && isOpen(half) ? receiveMessageOnPort(half) : undefined;
}

module.exports = {
  adopt,
  end,
  isRefused,
  lookAtWitnesses,
  lookForLoss,
  pair,
  receive,
  release,
  witness,
  /** Takes what is posted where nobody can get at it. */
  closedHalf: closedPort,
  close: (half) => close.call(half),
  /** Posts; false when nobody will get it. */
  post: (half, value, transfer) => postMessage.call(half, value, transfer) === true,
};
