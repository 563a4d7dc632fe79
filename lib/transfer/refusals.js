'use strict';

/** What the running Node says of its own ports in messages, for ours: each error is had by making Node throw it. */

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

/** A port that Node refuses where it stands, as it is on no list; it ends with the other. */
function unlisted(isGone) {
  const { port1, port2 } = new NodeMessageChannel();
  if (isGone) {
    const { port1: way } = new NodeMessageChannel();
    way.postMessage(undefined, [port2]);
    way.close();
  }
  return { port: port2, close: () => port1.close() };
}

/** For an object that has to be on the transfer list and is not; or that is not here any more either. */
function notListed(isGone) {
  const { port, close } = unlisted(isGone);
  try {
    return thrownBy((here) => here.postMessage(port));
  } finally {
    close();
  }
}

/** For one that is on the list and marked as untransferable; undefined (Node 20): it counts as not listed. */
const untransferable = () =>
  thrownBy((port, other) => {
    markAsUntransferable(other);
    port.postMessage(undefined, [other]);
  });

/** For one that is on the list twice. */
const duplicate = () => thrownBy((port, other) => port.postMessage(undefined, [other, other]));

/** Node 20 passes over what is marked, and refuses any other object that is not transferable. */
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

/** Throws what Node says of a transfer list, which it does before it reads anything of the value. */
function checkList(list) {
  const refused = list.length === 0 ? undefined : refusalOfList(list);
  if (refused !== undefined) throw refused.error;
}

module.exports = { checkList, duplicate, isMarkedAsUntransferable, notListed, unlisted, untransferable };
