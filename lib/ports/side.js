'use strict';

/** Posting through the companion: what only Node can carry, with Node's own words about what cannot be cloned. */

const { types } = require('node:util');

const nodeGlobals = require('../node-globals');
const { MessagePort: NodeMessagePort } = require('../node-threads');
const { departure, seal } = require('../travel');
const { isMarkedAsUntransferable } = require('../travel/refusals');
const { kindOf } = require('../travel/registry');
const { listOf } = require('../travel/transfer-list');
const { closedHalf, post } = require('./companion');

function dataCloneError(message) {
  return new nodeGlobals.DOMException(message, 'DataCloneError');
}

/** Whether this is a port of ours that does not leave although it is on the list. */
function staysHere(port) {
  return kindOf(port)?.moves === true && isMarkedAsUntransferable(port);
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
  const ports = list?.filter((object) => object instanceof NodeMessagePort && !staysHere(object));
  if (ports !== undefined) checkPorts(ports, source);
  const wrapped = shared !== undefined || (ports !== undefined && ports.length > 0);
  const payload = wrapped ? { value, ports, shared } : value;
  // A list that was an iterator is used up by now; of a bad one Node says what is wrong.
  const again = list ?? transfer;
  const leaving = departure(payload, again);
  if (leaving === undefined) post(half, payload, again);
  else leaving.leave((bundle, transferList) => post(half, seal(bundle), transferList));
  return wrapped;
}

/** What posting through a closed port does: everything but the delivery. */
function postNowhere(value, transfer, source) {
  postAside(closedHalf(), value, transfer, undefined, source);
}

/** Throws what Node says of a bad transfer list. */
function refuseList(transfer) {
  post(closedHalf(), undefined, transfer);
}

module.exports = { dataCloneError, postAside, postNowhere, refuseList };
