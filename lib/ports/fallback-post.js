'use strict';

/**
 * Posts values that only Node can carry through a fallback port. Node throws its own errors for values that it cannot clone.
 *
 * The program's value is posted as it is, or in a wrapper of ours. The entry in Rust's queue says which of the two, so no
 * value can pretend to be a wrapper. Script pools wrap every value (script-pool/fallback-ports.js); here most values have no
 * wrapper, since cloning one more object costs a tenth of a message with a buffer.
 *
 * A wrapper is `[isBundle, { value, ports }]`: `ports` are those of Node's that the listeners' event is to have.
 */

const { types } = require('node:util');

const { sizeOf } = require('../codec/bytes');
const { append } = require('../runtime/intrinsics');
const { FallbackPort } = require('../fallback/fallback-port');
const { openValue, postValue } = require('../fallback/value');
const { refusalOfList } = require('../runtime/node-ports');
const { isMarkedAsUntransferable } = require('../runtime/port-refusals');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { unreadableMessage } = require('../transfer/other-copy');
const { typeOf } = require('../transfer/registry');
const { listOf } = require('../transfer/transfer-list');
const { dataCloneError } = require('../runtime/globals');

/** Whether this is a port of ours that stays here although it is on the list. */
function staysHere(port) {
  return typeOf(port)?.moves === true && isMarkedAsUntransferable(port);
}

const isOfOurs = (object) => typeof object === 'object' && object !== null && typeOf(object)?.moves === true;

/** Throws if another binary's copy of the package made this object. */
function refuseForeign(object) {
  const type = typeof object === 'object' && object !== null ? typeOf(object) : undefined;
  if (type?.isForeign) type.serialize();
}

/** Node's message for an object of ours that a transfer list must not have; undefined if the list may have it. */
function refusalOfOurs(object, seen, source) {
  if (object === source) return 'Transfer list contains source port';
  if (typeOf(object).isDetached?.(object)) return 'MessagePort in transfer list is already detached';
  if (seen.has(object)) return 'Transfer list contains duplicate MessagePort';
  seen.add(object);
  return undefined;
}

/** Whether Node refuses this object only if it is on the list twice. */
const isPlainBuffer = (object) => types.isArrayBuffer(object) && sizeOf(object) > 0;

/** Throws Node's error for a bad list, before the value is read, as Node does. */
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
  // Most lists have only buffers. Node checks such a list itself.
  const refused = plain ? undefined : refusalOfList(nodes);
  if (refused !== undefined) throw refused.error;
  if (refusal !== undefined) throw dataCloneError(refusal);
}

/** Whether the value is bytes and the list one buffer: by far the most frequent case, in which nothing can be ours. */
function isOneBuffer(value, transfer) {
  if (!Array.isArray(transfer) || transfer.length !== 1 || !types.isArrayBuffer(transfer[0])) return false;
  return value === transfer[0] || ArrayBuffer.isView(value);
}

/** The result of a post that no receiver will ever get. The other results are in `FALLBACK`. */
const LOST = 0;
/**
 * INTRODUCING: another message follows, with the shared memory that this message introduces. So the receiver gets the memory
 * even if it cannot read the value.
 */
const { PLAIN, WRAPPED, INTRODUCING } = require('../constants').FALLBACK;

/**
 * @param {FallbackPort} fallback
 * @param {unknown} value
 * @param {unknown} transfer as `postMessage` takes it
 * @param {[number, SharedArrayBuffer][] | undefined} shared the memory that this message introduces
 * @param {object} source the port of ours
 * @returns {number} the form of the message, for the placeholder in Rust's queue; LOST if nobody will ever get the message
 */
function postViaFallback(fallback, value, transfer, shared, source) {
  const plainly = (given, list) => (fallback.post(given, list) ? PLAIN : LOST);
  if (shared === undefined && isOneBuffer(value, transfer)) return plainly(value, transfer);
  const list = listOf(transfer);
  // A bad list: Node throws the right error.
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

/**
 * Opens a wrapper that has arrived.
 *
 * @param {unknown} message
 * @returns {{ value: unknown, ports: object[] | undefined }}
 */
function openWrapper(message) {
  if (!Array.isArray(message) || !isObject(message[1])) throw unreadableMessage();
  const wrapper = openValue(message[0], message[1]);
  if (!isObject(wrapper) || (wrapper.ports !== undefined && !Array.isArray(wrapper.ports))) throw unreadableMessage();
  return wrapper;
}

/** Posts through a closed port: checks, clones and detaches as usual, and delivers nothing. */
function postNowhere(value, transfer, source) {
  postViaFallback(FallbackPort.closed(), value, transfer, undefined, source);
}

/** Throws Node's error for a bad transfer list. */
function refuseList(transfer) {
  FallbackPort.closed().post(undefined, transfer);
}

module.exports = { LOST, openWrapper, postViaFallback, postNowhere, refuseList };
