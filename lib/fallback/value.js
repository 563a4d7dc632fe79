'use strict';

/**
 * A value that goes by a port of Node's between two ends of ours: as it is, or as a bundle where it holds objects of ours
 * (lib/transfer). The sender says which of the two outside of the value, so that no value of a user's can imitate a bundle:
 * messages have the form `[isBundle, value]`, perhaps with more before.
 */

const { types } = require('node:util');

const { closedPort } = require('../runtime/closed-port');
const { sizeOf } = require('../codec/bytes');
const { MessagePort: NodeMessagePort } = require('../runtime/worker-threads');
const { typeOf } = require('../transfer/registry');
const { deserialize, serialize } = require('../transfer/serialization');
const { transferablesIn } = require('../transfer/transferables');

/**
 * Posts a value, serialized if need be.
 *
 * @template T
 * @param {unknown} value
 * @param {object[]} list the transfer list
 * @param {(value: unknown, isBundle: boolean, list: object[]) => T} post
 * @returns {T}
 * @throws Node's error for a value that cannot be cloned or transferred
 */
function postValue(value, list, post) {
  const message = serialize(value, list);
  if (message === undefined) return post(value, false, list);
  return message.post((bundle, rest) =>
    message.isPlain ? post(bundle.value, false, rest) : post(bundle, true, rest),
  );
}

/**
 * A value that has arrived.
 *
 * @throws what a class of ours says of a record that cannot be read here
 */
function openValue(isBundle, value) {
  return isBundle ? deserialize(value) : value;
}

/** Lets go of a value that has arrived and that nobody will read: its ports close. */
function discardValue(isBundle, value) {
  try {
    letGo(transferablesIn(openValue(isBundle, value)));
  } catch {
    // It could not be read, so nobody has it.
  }
}

/** Frees memory at once, and closes ports. Objects that have left already stay where they are. */
function letGo(list) {
  for (const object of list) {
    if (typeOf(object)?.moves || object instanceof NodeMessagePort) object.close();
    else if (!types.isArrayBuffer(object) || sizeOf(object) > 0) closedPort().postMessage(undefined, [object]);
  }
}

module.exports = { discardValue, letGo, openValue, postValue };
