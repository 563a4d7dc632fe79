'use strict';

/**
 * The fallback ports (lib/fallback) of our channels: Node's channel beside one of ours.
 *
 * It is made when it is first needed: before a message that Node has to carry is posted, and before an end leaves
 * this thread. Until then both ends are here, so each can be given its port. A port that moves takes its fallback port
 * along.
 *
 * An end may be on its way between threads, and be lost there. A fallback port that closes without our doing was
 * lost with a message that nobody received. Then the end of our channel that went the same way lies in transit for ever:
 * the native side is made to forget it. So a port that closes while the other end is on its way leaves its fallback port
 * open (unless payloads wait in it: then it would not close by itself). lost-ports.js has the other ways to see a loss.
 *
 * A fallback port stands in its endpoint: `{ id, peerId, handle, fallback, isLost, early }`.
 */

const { FallbackPort } = require('../fallback/fallback-port');
const { binding } = require('../native');
const { ports } = require('./open-ports');
const { CLOSED } = require('../constants').POSTED;

/**
 * Gives a fallback port to an endpoint. One that closes stays with it: the thread with the other one may be ending, and
 * our channel is about to. Messages that are posted to it until then are lost, as with any closed port.
 */
function adopt(port, endpoint) {
  endpoint.fallback = port;
  endpoint.isLost = false;
  port.whenClosed(() => {
    endpoint.isLost = true;
    binding.forgetPort(endpoint.peerId);
  });
}

/** Takes the fallback port from an endpoint that leaves or has ended: should it close from now on, that means nothing. */
function release(endpoint) {
  const { fallback } = endpoint;
  if (fallback === undefined) return undefined;
  endpoint.fallback = undefined;
  fallback.whenClosed(undefined);
  return fallback;
}

/** The fallback port of an endpoint; undefined when the other end went where Node's ports cannot go. */
function fallbackOf(endpoint) {
  if (endpoint.fallback !== undefined) return endpoint.fallback;
  const peer = ports.get(endpoint.peerId);
  if (peer !== undefined) {
    const [near, far] = FallbackPort.pair();
    adopt(near, endpoint);
    adopt(far, peer);
    return near;
  }
  return binding.wantPortRoom(endpoint.handle) === CLOSED ? FallbackPort.closed() : undefined;
}

/**
 * A port has ended.
 *
 * @param {object} endpoint
 * @param {boolean} watches whether its fallback port must still report the loss of the other end
 */
function end(endpoint, watches) {
  const port = release(endpoint);
  if (port === undefined) return;
  const { peerId } = endpoint;
  if (watches) port.whenClosed(() => binding.forgetPort(peerId));
  else port.close();
}

/** The next of Node's messages for an endpoint. */
function receive(endpoint) {
  const { fallback, early } = endpoint;
  if (early === undefined) return fallback?.receive();
  endpoint.early = undefined;
  if (early.error !== undefined) throw early.error;
  return early;
}

module.exports = { adopt, end, fallbackOf, receive, release };
