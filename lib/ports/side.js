'use strict';

/** Posting through the companion: what only Node can carry, with Node's own words about what cannot be cloned. */

const { types } = require('node:util');

const { MessagePort: NodeMessagePort } = require('../node-threads');
const { departure } = require('../travel');
const { closedHalf, post } = require('./companion');

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

/** Whether this is bytes and the list one buffer: the most frequent case by far, with nothing of ours in it. */
function isOneBuffer(value, transfer) {
  if (!Array.isArray(transfer) || transfer.length !== 1 || !types.isArrayBuffer(transfer[0])) return false;
  return value === transfer[0] || ArrayBuffer.isView(value);
}

/**
 * @param {object} half the companion
 * @param {unknown} value
 * @param {unknown} transfer as `postMessage` takes it
 * @param {[number, SharedArrayBuffer][] | undefined} shared what this message introduces
 * @param {object} source the port of ours
 * @returns {boolean} whether the payload is in a wrapper, for the message that is to hold the place
 */
function postAside(half, value, transfer, shared, source) {
  if (shared === undefined && isOneBuffer(value, transfer)) {
    post(half, value, transfer);
    return false;
  }
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
  return wrapped;
}

/** What posting through a closed port does: everything but the delivery. */
function postNowhere(value, transfer, source) {
  postAside(closedHalf(), value, transfer, undefined, source);
}

module.exports = { dataCloneError, listOf, postAside, postNowhere };
