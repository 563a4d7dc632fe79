'use strict';

/**
 * Looks whether a port was lost on its way to another thread, with a message that nobody received.
 *
 * As a rule its fallback port reports that by closing (fallback.js). Two cases are left:
 * - A fallback port in which something waits does not close. So once all was read from it, and in a thread that is blocked
 *   and hears of nothing, the endpoint looks for the loss itself (`lookForLoss`).
 * - A port whose other end has closed has no fallback port that would report it. When it leaves, it sends a *loss port*
 *   along, whose only use is to close when the message is lost.
 */

const { FallbackPort } = require('../fallback/fallback-port');
const { binding } = require('../native');
const { setTimeout } = require('../runtime/clock');

// The results of `portTransit`.
const { ANNOUNCED, DEPOSITED } = require('../constants').TRANSIT;
/** Milliseconds until a thread that has announced a port has put it in transit, as a rule. */
const SOON = 10;

/**
 * Looks whether the other end of an endpoint was lost on its way.
 *
 * @param {object} endpoint for which nothing waits, as far as is known
 */
function lookForLoss(endpoint) {
  const { fallback, peerId, early } = endpoint;
  if (fallback === undefined || early !== undefined) return;
  const transit = binding.portTransit(peerId);
  if (transit === ANNOUNCED) setTimeout(() => lookForLoss(endpoint), SOON).unref();
  // While it is in transit nobody posts by it. So once it is there, and nothing waits, the fallback port holds at most its
  // end, which it sees when it is asked for a message.
  if (transit !== DEPOSITED || !endpoint.reader.isDrained || !fallback.isOpen) return;
  try {
    endpoint.early = fallback.receive();
  } catch (error) {
    endpoint.early = { error };
  }
  if (fallback.isClosing) binding.forgetPort(peerId);
}

/** Here, for as long as the port that was sent along is open: `{ port, key }`. */
const watches = new Set();

/**
 * A loss port for a port that is announced by this key: when it closes, that port is let go of if nobody has claimed it.
 *
 * @returns {FallbackPort} to be sent along
 */
function lossPort(key) {
  const [near, far] = FallbackPort.pair();
  const watch = { port: near, key };
  watches.add(watch);
  near.whenClosed(() => {
    watches.delete(watch);
    binding.dropPort(key);
  });
  return far;
}

/** Looks for the loss of all ports that left with a loss port. */
function lookAtLossPorts() {
  for (const { port, key } of watches) {
    port.receive();
    if (port.isClosing) binding.dropPort(key);
  }
}

module.exports = { lookAtLossPorts, lookForLoss, lossPort };
