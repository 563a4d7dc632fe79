'use strict';

/**
 * How a port of ours moves: in a message of Node's to another thread, or to a native task.
 *
 * In a message it is a record (transit-record.js) with its key, under which the native side keeps it meanwhile. Its
 * fallback port is on Node's transfer list: however the message ends, that port ends too, and so reports it (fallback.js).
 *
 * The port is here still, and of full use, until Node has taken the message: a getter of the message may post by it,
 * close it, or move it in a message of its own.
 */

const { binding } = require('../native');
const { dataCloneError } = require('../runtime/globals');
const { FallbackPort } = require('../fallback/fallback-port');
const { recognise, registerType, startSearching } = require('../transfer/registry');
const { nodeTransferablesIn } = require('../transfer/search');
const fallback = require('./fallback');
const { lossPort } = require('./lost-ports');
const { MessagePort, Port, createPort, endpointOf } = require('./message-port');
const { ports } = require('./open-ports');
const { CLOSED } = require('../constants').POSTED;
const { Kept } = require('./shared-memory');
const { checkRecord } = require('./transit-record');

function refuseDetached(endpoint) {
  if (!endpoint.isOpen) throw dataCloneError('MessagePort in transfer list is already detached');
}

/**
 * Makes the record of a port for a message.
 *
 * @returns {import('./transit-record').TransitRecord}
 */
function serialize(port) {
  const endpoint = endpointOf(port);
  refuseDetached(endpoint);
  let own = fallback.fallbackOf(endpoint);
  // When the other end has closed, so has its fallback port, and this one perhaps by that.
  const isAlone = own === undefined || endpoint.isLost || binding.wantPortRoom(endpoint.handle) === CLOSED;
  if (isAlone && own?.isClosing) own = undefined;
  const key = binding.announcePort(endpoint.handle);
  const { options, withTask, reader, sender, early } = endpoint;
  return {
    key,
    options: { ...options, withTask },
    kept: reader.kept.pairs(),
    introduced: sender.introduced,
    fallback: own?.nodePort,
    early: early?.error === undefined ? early : undefined,
    lossPort: isAlone ? lossPort(key).nodePort : undefined,
  };
}

/** Node has refused the message. */
function refused(port, { key, lossPort: sentAlong }) {
  binding.withdrawPort(key);
  if (sentAlong !== undefined) new FallbackPort(sentAlong).close();
}

/** Node has taken the message, and the port with it. */
function posted(port, { key }) {
  const endpoint = endpointOf(port);
  // A getter of the message may have closed it, or moved it in a message of its own.
  if (!endpoint.isOpen) return binding.withdrawPort(key);
  fallback.release(endpoint);
  binding.depositPort(endpoint.handle, endpoint.reader.end(), key);
  endpoint.moved();
}

/** The message was lost with the thread that it was sent to: lets go of the port, if it was not claimed. */
const lost = ({ key }) => binding.dropPort(key);

/** A port that has come to this thread. One that has closed on its way is closed, as it would be in Node. */
function deserialize(content) {
  const { key, options, kept, introduced, fallback: nodePort, early, lossPort: sentAlong } = checkRecord(content);
  startSearching();
  const end = binding.claimPort(key);
  const port = createPort(end, options, introduced);
  if (sentAlong !== undefined) new FallbackPort(sentAlong).close();
  const own = nodePort === undefined ? undefined : new FallbackPort(nodePort);
  if (end !== null) {
    const endpoint = endpointOf(port);
    endpoint.reader.kept = new Kept(kept);
    endpoint.early = early;
    if (own !== undefined) fallback.adopt(own, endpoint);
  } else {
    own?.close();
  }
  return port;
}

/**
 * The port goes to a native task: its handle and cursor are taken with the task's input, at once. There a port has no
 * fallback port.
 *
 * @returns {[number, number]}
 */
function toTask(port) {
  const endpoint = endpointOf(port);
  refuseDetached(endpoint);
  const taken = [endpoint.handle, endpoint.reader.end()];
  fallback.release(endpoint)?.close();
  const peer = ports.get(endpoint.peerId);
  if (peer !== undefined) {
    fallback.release(peer);
    peer.toTask();
  }
  endpoint.moved();
  return taken;
}

registerType(Port, {
  typeTag: 'MessagePort',
  moves: true,
  isDetached: (port) => !endpointOf(port).isOpen,
  serialize,
  nodeTransferables: ({ fallback: own, early, lossPort: sentAlong }) => [
    ...[own, sentAlong].filter((port) => port !== undefined),
    ...(early === undefined ? [] : nodeTransferablesIn(early.message)),
  ],
  deserialize,
  toTask,
  posted,
  refused,
  lost,
});

recognise(MessagePort, 'MessagePort');

module.exports = { adoptPort: deserialize };
