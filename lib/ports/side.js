'use strict';

/** Posting through the companion: what only Node can carry, with Node's own words about what cannot be cloned. */

const { MessagePort: NodeMessagePort } = require('../node-threads');

const { departure } = require('../travel');
const { closedHalf, post } = require('./companion');

/** Marks, on the wire of the message that holds the place, whether the payload is in a wrapper. */
const PLAIN = Uint8Array.of(0);
const WRAPPED = Uint8Array.of(1);

function dataCloneError(message) {
  return new DOMException(message, 'DataCloneError');
}

/** The transfer list as an array; undefined when it is empty, or nothing that Node would take as a list. */
function listOf(transfer) {
  if (transfer === undefined || transfer === null) return undefined;
  if (typeof transfer !== 'object' && typeof transfer !== 'function') return undefined;
  const list = typeof transfer[Symbol.iterator] === 'function' ? transfer : transfer.transfer;
  if (list === undefined || list === null || typeof list[Symbol.iterator] !== 'function') return undefined;
  const array = [...list];
  return array.length > 0 ? array : undefined;
}

/** What Node checks of its own ports in a transfer list, for ours. */
function checkPorts(ports, source) {
  const seen = new Set();
  for (const port of ports) {
    if (port === source) throw dataCloneError('Transfer list contains source port');
    if (seen.has(port)) throw dataCloneError('Transfer list contains duplicate MessagePort');
    seen.add(port);
  }
}

/**
 * @param {object} half the companion
 * @param {unknown} value
 * @param {unknown} transfer as `postMessage` takes it
 * @param {[number, SharedArrayBuffer][] | undefined} shared what this message introduces
 * @param {object} source the port of ours
 * @returns {Uint8Array} the wire of the message that is to hold the place
 */
function postAside(half, value, transfer, shared, source) {
  const list = listOf(transfer);
  const ports = list?.filter((object) => object instanceof NodeMessagePort);
  if (ports !== undefined) checkPorts(ports, source);
  const wrapped = shared !== undefined || (ports !== undefined && ports.length > 0);
  const payload = wrapped ? { value, ports, shared } : value;
  // A list that was an iterator is used up by now.
  const again = list ?? transfer;
  const leaving = departure(payload, again);
  if (leaving === undefined) post(half, payload, again);
  else leaving.leave((message, transferList) => post(half, message, transferList));
  return wrapped ? WRAPPED : PLAIN;
}

/** What posting through a closed port does: everything but the delivery. */
function postNowhere(value, transfer, source) {
  postAside(closedHalf(), value, transfer, undefined, source);
}

module.exports = { dataCloneError, listOf, postAside, postNowhere };
