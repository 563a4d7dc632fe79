'use strict';

/**
 * Posting through the companion: what only Node can carry, with Node's own words about what cannot be cloned.
 *
 * The value of a user goes there as it is, or in a wrapper of ours; which of the two is told in Rust's queue, out of the
 * value's reach.
 */

const { types } = require('node:util');

const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { sizeOf } = require('../codec/bytes');
const { append } = require('../runtime/intrinsics');
const { MalformedValueError } = require('../errors');
const { departure } = require('../transfer');
const { isMarkedAsUntransferable } = require('../transfer/refusals');
const { kindOf } = require('../transfer/registry');
const { listOf } = require('../transfer/transfer-list');
const { closedHalf, isRefused, post } = require('./companion');
const { dataCloneError } = require('../runtime/globals');
const { arePairs } = require('./shared-memory');

/** Whether this is a port of ours that does not leave although it is on the list. */
function staysHere(port) {
  return kindOf(port)?.moves === true && isMarkedAsUntransferable(port);
}

const isOfOurs = (object) => typeof object === 'object' && object !== null && kindOf(object)?.moves === true;

/** Throws if another binary's copy of the package made this object. */
function refuseForeign(object) {
  const kind = typeof object === 'object' && object !== null ? kindOf(object) : undefined;
  if (kind?.isForeign) kind.pack();
}

/** What Node would say of this object on a transfer list, if it is one of ours. */
function refusalOfOurs(object, seen, source) {
  if (object === source) return 'Transfer list contains source port';
  if (kindOf(object).gone?.(object)) return 'MessagePort in transfer list is already detached';
  if (seen.has(object)) return 'Transfer list contains duplicate MessagePort';
  seen.add(object);
  return undefined;
}

/** What Node refuses for its being there twice at the most. */
const isPlainBuffer = (object) => types.isArrayBuffer(object) && sizeOf(object) > 0;

/** Throws what Node throws for a bad list, before the value is looked at, as Node does. */
function checkList(list, source) {
  const seen = new Set();
  const nodes = [];
  let refusal;
  for (const object of list) {
    if (!isOfOurs(object)) {
      refuseForeign(object);
      append(nodes, object);
    } else if (!staysHere(object)) {
      refusal = refusalOfOurs(object, seen, source);
      if (refusal !== undefined) break;
    }
  }
  const plain = new Set(nodes).size === nodes.length && nodes.every(isPlainBuffer);
  // A plain list of buffers is Node's most frequent one, and left to it.
  const refused = plain ? undefined : isRefused(nodes);
  if (refused !== undefined) throw refused.error;
  if (refusal !== undefined) throw dataCloneError(refusal);
}

/** Whether this is bytes and the list one buffer: the most frequent case by far, with nothing of ours in it. */
function isOneBuffer(value, transfer) {
  if (!Array.isArray(transfer) || transfer.length !== 1 || !types.isArrayBuffer(transfer[0])) return false;
  return value === transfer[0] || ArrayBuffer.isView(value);
}

/** What became of a payload. */
const LOST = 0;
const PLAIN = 1;
const WRAPPED = 2;
/** The shared memory that the message introduces comes after it, by itself: it arrives also where the rest cannot be read. */
const INTRODUCING = 3;

/**
 * @param {object} half the companion
 * @param {unknown} value
 * @param {unknown} transfer as `postMessage` takes it
 * @param {[number, SharedArrayBuffer][] | undefined} shared what this message introduces
 * @param {object} source the port of ours
 * @returns {number} what the message says that is to hold the place; LOST when nobody will ever get it
 */
function postAside(half, value, transfer, shared, source) {
  if (shared === undefined && isOneBuffer(value, transfer)) {
    return post(half, value, transfer) ? PLAIN : LOST;
  }
  const list = listOf(transfer);
  // A bad one: Node says what is wrong.
  if (list === undefined) return post(half, value, transfer) ? PLAIN : LOST;
  if (list.length > 0) checkList(list, source);
  const ports = list.filter((object) => object instanceof NodeMessagePort && !staysHere(object));
  const wrapper = { value, ports: ports.length > 0 ? ports : undefined };
  const leaving = departure(wrapper, list);
  if (leaving === undefined && shared === undefined && ports.length === 0) return post(half, value, list) ? PLAIN : LOST;
  const sent = leaving === undefined
    ? post(half, { value: wrapper, records: undefined }, list)
    : leaving.leave((bundle, transferList) => post(half, bundle, transferList));
  if (!sent) return LOST;
  if (shared === undefined) return WRAPPED;
  return post(half, shared) ? INTRODUCING : LOST;
}

const isObject = (value) => typeof value === 'object' && value !== null;

/**
 * What a wrapper holds that has arrived.
 *
 * @param {{ value: object, records: object[] | undefined }} bundle
 * @param {(bundle: object) => object} arrive
 * @returns {{ value: unknown, ports: object[] | undefined }}
 */
function openWrapper(bundle, arrive) {
  const wrapper = isObject(bundle) ? bundle.value : undefined;
  const readable =
    isObject(wrapper) &&
    (wrapper.ports === undefined || Array.isArray(wrapper.ports)) &&
    (bundle.records === undefined || Array.isArray(bundle.records));
  if (!readable) throw new MalformedValueError('A message came in a form that this version of rust-workers cannot read');
  return bundle.records === undefined ? wrapper : arrive(bundle);
}

/** What posting through a closed port does: everything but the delivery. */
function postNowhere(value, transfer, source) {
  postAside(closedHalf(), value, transfer, undefined, source);
}

/** Throws what Node says of a bad transfer list. */
function refuseList(transfer) {
  post(closedHalf(), undefined, transfer);
}

module.exports = { LOST, openWrapper, postAside, postNowhere, refuseList };
