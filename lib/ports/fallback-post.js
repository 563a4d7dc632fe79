'use strict';

/**
 * Posting through a fallback port: what only Node can carry, with Node's own words about what cannot be cloned.
 *
 * The value of a user goes there as it is, or in a wrapper of ours; which of the two is told in Rust's queue, out of the
 * value's reach. Script pools have a wrapper for every value (script-pool/fallback-ports.js); here most have none, since
 * to clone one more object costs a tenth of a message with a buffer.
 *
 * A wrapper is `[isBundle, { value, ports }]`: `ports` are those of Node's that the listeners' event is to have.
 */

const { types } = require('node:util');

const { sizeOf } = require('../codec/bytes');
const { append } = require('../runtime/intrinsics');
const { MalformedValueError } = require('../errors');
const { FallbackPort } = require('../fallback/fallback-port');
const { openValue, postValue } = require('../fallback/value');
const { refusalOfList } = require('../runtime/node-ports');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { isMarkedAsUntransferable } = require('../transfer/refusals');
const { typeOf } = require('../transfer/registry');
const { listOf } = require('../transfer/transfer-list');
const { dataCloneError } = require('../runtime/globals');

/** Whether this is a port of ours that does not leave although it is on the list. */
function staysHere(port) {
  return typeOf(port)?.moves === true && isMarkedAsUntransferable(port);
}

const isOfOurs = (object) => typeof object === 'object' && object !== null && typeOf(object)?.moves === true;

/** Throws if another binary's copy of the package made this object. */
function refuseForeign(object) {
  const type = typeof object === 'object' && object !== null ? typeOf(object) : undefined;
  if (type?.isForeign) type.serialize();
}

/** What Node would say of this object on a transfer list, if it is one of ours. */
function refusalOfOurs(object, seen, source) {
  if (object === source) return 'Transfer list contains source port';
  if (typeOf(object).isDetached?.(object)) return 'MessagePort in transfer list is already detached';
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
  const refused = plain ? undefined : refusalOfList(nodes);
  if (refused !== undefined) throw refused.error;
  if (refusal !== undefined) throw dataCloneError(refusal);
}

/** Whether this is bytes and the list one buffer: the most frequent case by far, with nothing of ours in it. */
function isOneBuffer(value, transfer) {
  if (!Array.isArray(transfer) || transfer.length !== 1 || !types.isArrayBuffer(transfer[0])) return false;
  return value === transfer[0] || ArrayBuffer.isView(value);
}

// What became of a payload.
const LOST = 0;
/** The shared memory that the message introduces comes after it, by itself: it arrives also where the rest cannot be read. */
const { PLAIN, WRAPPED, INTRODUCING } = require('../constants').FALLBACK;

/**
 * @param {FallbackPort} fallback
 * @param {unknown} value
 * @param {unknown} transfer as `postMessage` takes it
 * @param {[number, SharedArrayBuffer][] | undefined} shared what this message introduces
 * @param {object} source the port of ours
 * @returns {number} what the entry in Rust's queue says that is to hold the place; LOST when nobody will ever get it
 */
function postByFallback(fallback, value, transfer, shared, source) {
  const plainly = (given, list) => (fallback.post(given, list) ? PLAIN : LOST);
  if (shared === undefined && isOneBuffer(value, transfer)) return plainly(value, transfer);
  const list = listOf(transfer);
  // A bad one: Node says what is wrong.
  if (list === undefined) return plainly(value, transfer);
  if (list.length > 0) checkList(list, source);
  const ports = list.filter((object) => object instanceof NodeMessagePort && !staysHere(object));
  const wrapper = { value, ports: ports.length > 0 ? ports : undefined };
  const sent = postValue(wrapper, list, (message, isBundle, rest) => {
    if (!isBundle && shared === undefined && ports.length === 0) return plainly(message.value, rest);
    return fallback.post([isBundle, message], rest) ? WRAPPED : LOST;
  });
  if (sent === LOST || shared === undefined) return sent;
  return fallback.post(shared) ? INTRODUCING : LOST;
}

const isObject = (value) => typeof value === 'object' && value !== null;

const unreadable = () =>
  new MalformedValueError('A message came in a form that this version of rust-workers cannot read');

/**
 * What a wrapper holds that has arrived.
 *
 * @param {unknown} message
 * @returns {{ value: unknown, ports: object[] | undefined }}
 */
function openWrapper(message) {
  if (!Array.isArray(message) || !isObject(message[1])) throw unreadable();
  const wrapper = openValue(message[0], message[1]);
  if (!isObject(wrapper) || (wrapper.ports !== undefined && !Array.isArray(wrapper.ports))) throw unreadable();
  return wrapper;
}

/** What posting through a closed port does: everything but the delivery. */
function postNowhere(value, transfer, source) {
  postByFallback(FallbackPort.closed(), value, transfer, undefined, source);
}

/** Throws what Node says of a bad transfer list. */
function refuseList(transfer) {
  FallbackPort.closed().post(undefined, transfer);
}

module.exports = { LOST, openWrapper, postByFallback, postNowhere, refuseList };
