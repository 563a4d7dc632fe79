'use strict';

/** The errors of the running Node for its own ports in messages, to be thrown for ours: Node is made to throw each of them. */

const {
  MessageChannel: NodeMessageChannel,
  isMarkedAsUntransferable: nodeIsMarked,
  markAsUntransferable,
} = require('../runtime/worker-threads');

const { closedPort } = require('../runtime/closed-port');
const { refusalOfList } = require('../runtime/node-ports');

/** What `provoke` throws, given the two ports of a channel; undefined if nothing. */
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

/** A port that Node refuses in a message, as it is on no list. `close` ends it. */
function unlisted(isDetached) {
  const { port1, port2 } = new NodeMessageChannel();
  if (isDetached) {
    const { port1: other } = new NodeMessageChannel();
    other.postMessage(undefined, [port2]);
    other.close();
  }
  return { port: port2, close: () => port1.close() };
}

/** For an object that has to be on the transfer list and is not; perhaps one that is detached as well. */
function notListed(isDetached) {
  const { port, close } = unlisted(isDetached);
  try {
    return thrownBy((here) => here.postMessage(port));
  } finally {
    close();
  }
}

/** For an object that is on the list and marked as untransferable. Undefined on Node 20, where it counts as not listed. */
const untransferable = () =>
  thrownBy((port, other) => {
    markAsUntransferable(other);
    port.postMessage(undefined, [other]);
  });

/** For an object that is on the list twice. */
const duplicate = () => thrownBy((port, other) => port.postMessage(undefined, [other, other]));

/** Node 20 passes over marked objects, and refuses every other object that is not transferable. */
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

/** Throws what Node says of a transfer list, before anything of the value is read. */
function checkList(list) {
  const refusal = list.length > 0 ? refusalOfList(list) : undefined;
  if (refusal !== undefined) throw refusal.error;
}

module.exports = {
  checkList, duplicate, isMarkedAsUntransferable, notListed, unlisted, untransferable,
};
