'use strict';

/** The objects that are transferred with a value: named by a list, or found in the value. */

const { types } = require('node:util');

const { isDetached } = require('../codec/bytes');
const { closedPort } = require('../runtime/closed-port');
const { InvalidArgTypeError } = require('../errors');
const { discardValue, letGo, openValue, postValue } = require('../fallback/value');
const nodeGlobals = require('../runtime/globals');
const { typeOf } = require('../transfer/registry');
const { FOUND, transferablesIn } = require('../transfer/transferables');
const { Moved } = require('./task');

/** Stands for "whatever there is in the value". */
const AUTO = 'auto';

/**
 * Marks what a task returns to be moved to the caller instead of copied.
 *
 * @param {unknown} value the result
 * @param {readonly object[] | 'auto'} [list] the objects to transfer; 'auto': every ArrayBuffer and MessagePort in it
 * @returns {Moved} for the task to return
 */
function move(value, list = AUTO) {
  if (list !== AUTO && !Array.isArray(list)) {
    throw new InvalidArgTypeError('The "list" argument must be an array of transferable objects, or \'auto\'');
  }
  return new Moved(value, list === AUTO ? transferablesIn(value) : list);
}

/** Whether Node moves this object: not memory of WebAssembly, of its Buffer pool, or marked as untransferable. */
function isMovable(object) {
  if (typeOf(object)?.moves) return true;
  try {
    closedPort().postMessage(undefined, [object, object]);
    // Older Nodes pass over what they do not move.
    return false;
  } catch (error) {
    // It looks at each before it finds that one stands there twice, and then moves none.
    return /duplicate/i.test(error.message);
  }
}

/** So many things of a value are looked at for getters. */
const LOOK_AT = 100;

/**
 * Does something with a value and a list; where Node refuses what was only found, without that. As a rule all of it can
 * be moved, so that is tried first; unless a getter might run twice for it.
 */
function withMovable(value, list, act) {
  if (list[FOUND] !== true) return act(list);
  if (list.length > 0 && require('../codec/accessors').mayRunCode(value, LOOK_AT)) return act(list.filter(isMovable));
  try {
    return act(list);
  } catch (error) {
    const movable = list.filter(isMovable);
    if (movable.length === list.length) throw error;
    return act(movable);
  }
}

/**
 * The value as it will arrive, taken now: what is in `list` is detached here.
 *
 * @param {unknown} value
 * @param {object[]} list
 * @returns {{ isBundle: boolean, value: unknown, list: object[] }} to be posted on, once where `list` is not empty
 * @throws Node's error for a value that cannot be cloned or transferred
 */
function takeNow(value, list) {
  return sendValue(value, list, (sent, isBundle, given) => {
    const [taken, moved] = nodeGlobals.structuredClone([sent, given], { transfer: given });
    return { isBundle, value: taken, list: moved };
  }, 'input');
}

/** A value that was taken, for this thread after all. */
const openTaken = ({ isBundle, value }) => openValue(isBundle, value);

/** Whether only memory was transferred with a value that was taken. */
function givesOnlyMemory({ isBundle, list }) {
  return !isBundle && list.length > 0 && list.every(types.isArrayBuffer);
}

/** Whether a value that was taken can be sent more than once: then memory in it goes as a copy. */
function canGoTwice(taken) {
  return taken.list.length === 0 || givesOnlyMemory(taken);
}

/** Lets go of a value that was taken and will not be sent: memory at once, and ports close. */
function discardTaken({ isBundle, value, list }) {
  if (isBundle) discardValue(isBundle, value);
  else letGo(list);
}

/**
 * The objects in a task's input that are transferred.
 *
 * @param {unknown} input
 * @param {object[] | 'auto'} transfer
 * @returns {object[]}
 * @throws {import('../errors').InvalidArgValueError} for a list with something that has left already, or stands there twice
 */
function listFor(input, transfer) {
  if (transfer === AUTO) return transferablesIn(input);
  // Only the owner of a pool has such lists: a worker starts sooner without.
  if (transfer.length > 0) require('../transfer/task-transfer').validateTransfer(transfer, false);
  return transfer;
}

/** Node 20 passes over memory that has left already, and sends an empty buffer in its place. */
function refuseDetached(list) {
  for (let i = 0; i < list.length; i++) {
    if (types.isArrayBuffer(list[i]) && isDetached(list[i])) {
      throw nodeGlobals.dataCloneError('An ArrayBuffer is detached and could not be cloned.');
    }
  }
}

/**
 * Sends a value by `send(value, isBundle, list)`, serialized if it holds objects of ours.
 *
 * @param {string} name what errors call the value
 */
function sendValue(value, list, send, name) {
  try {
    refuseDetached(list);
    return withMovable(value, list, (given) =>
      postValue(value, given, (sent, isBundle, rest) => send(sent, isBundle, [...rest])),
    );
  } catch (error) {
    require('./refused-part').explain(error, value, name);
    throw error;
  }
}

module.exports = {
  AUTO, canGoTwice, discardTaken, givesOnlyMemory, letGo, listFor, move, openTaken, sendValue, takeNow,
};
