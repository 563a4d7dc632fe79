'use strict';

/**
 * The errors with which the running Node refuses ports in messages. We throw them for ports of ours: each function here
 * makes Node throw its own error.
 *
 * Relies on, in Node 20 to 26:
 * - a message with a port that is not on the transfer list being refused, with one error for open ports and one for
 *   detached ports;
 * - a transfer list with a port twice, or (from Node 22 on) with a port that is marked as untransferable, being refused;
 * - the transfer list being checked before the value is read (`refusalOfList` in node-ports.js);
 * - where `isMarkedAsUntransferable` is missing (Node 20): a transfer list passing over marked objects, and refusing all
 *   other objects that cannot be transferred.
 * Without: a DataCloneError of ours, for all but the marked port.
 * Test: __test__/runtime/port-refusals.test.js.
 */

const {
  MessageChannel: NodeMessageChannel,
  isMarkedAsUntransferable: nodeIsMarked,
  markAsUntransferable,
} = require('./worker-threads');

const { closedPort } = require('./closed-port');
const { dataCloneError } = require('./globals');
const { refusalOfList } = require('./node-ports');

/** The error that `provoke` throws, given the two ports of a channel; undefined if it throws none. */
function thrownBy(provoke) {
  const { port1, port2 } = new NodeMessageChannel();
  try {
    provoke(port1, port2);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    port1.close();
  }
}

/** A port that Node refuses in a message without a transfer list. `close` closes the port. */
function unlisted(isDetached) {
  const { port1, port2 } = new NodeMessageChannel();
  if (isDetached) {
    const { port1: other } = new NodeMessageChannel();
    other.postMessage(undefined, [port2]);
    other.close();
  }
  return { port: port2, close: () => port1.close() };
}

/** The error for an object that must be on the transfer list and is not. A detached object has an error of its own. */
function notListed(isDetached) {
  const { port, close } = unlisted(isDetached);
  try {
    return thrownBy((here) => here.postMessage(port)) ?? dataCloneError('A port in the message is not on the transfer list');
  } finally {
    close();
  }
}

/**
 * The error for a listed object that is marked as untransferable. Undefined on Node 20, where such an object counts as
 * unlisted.
 */
const untransferable = () =>
  thrownBy((port, other) => {
    markAsUntransferable(other);
    port.postMessage(undefined, [other]);
  });

/** The error for an object that is on the list twice. */
const duplicate = () =>
  thrownBy((port, other) => port.postMessage(undefined, [other, other])) ??
  dataCloneError('The transfer list contains a port twice');

/** On Node 20: whether a transfer list passes over an object of ours, which Node cannot transfer. */
function isPassedOver(object) {
  try {
    closedPort().postMessage(undefined, [object]);
    return true;
  } catch {
    return false;
  }
}

/** Whether `markAsUntransferable` was called with this object of ours. */
const isMarkedAsUntransferable = nodeIsMarked ?? isPassedOver;

/** Throws Node's error for a bad transfer list, before the value is read. */
function checkList(list) {
  const refusal = list.length > 0 ? refusalOfList(list) : undefined;
  if (refusal !== undefined) throw refusal.error;
}

module.exports = {
  checkList, duplicate, isMarkedAsUntransferable, notListed, unlisted, untransferable,
};
