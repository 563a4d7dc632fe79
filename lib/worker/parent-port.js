'use strict';

/** The port to the parent of this thread, and what the thread was started with. */

const { prepareParentPort } = require('../runtime/worker-channel');
const workerThreads = require('../runtime/worker-threads');

const { unsealWorkerData } = require('../transfer/seal');
const { deserialize } = require('../transfer/serialization');
const { RECEIVE, shared } = require('../transfer/thread-state');
const { opened, prepare } = require('./node-port');
const { noteLoaded } = require('./unread');

const nodeReceiveMessageOnPort = workerThreads.receiveMessageOnPort;
// As it is now: a script pool's worker puts the script's own there.
const { workerData: nodeWorkerData } = require('node:worker_threads');

const { parentPort, threadId } = workerThreads;

/**
 * Lets objects of ours pass by the port to the parent, if there is one. Once, before any message is read.
 *
 * @param {() => boolean} isTaken whether what is posted now is taken by someone before it comes to the port
 */
function openParentPort(isTaken) {
  if (parentPort === null) return;
  prepareParentPort(parentPort);
  prepare(parentPort, threadId, false, { isTaken });
  noteLoaded(threadId);
}

/** Node's `workerData`, with objects of ours in it. Opened once for all copies of this file. */
function readWorkerData() {
  if (shared.opened.has(nodeWorkerData)) return shared.opened.get(nodeWorkerData);
  const bundle = unsealWorkerData(nodeWorkerData);
  if (bundle === undefined) return nodeWorkerData;
  const data = deserialize(bundle);
  shared.opened.set(nodeWorkerData, data);
  return data;
}

/** Node's `receiveMessageOnPort`, for ports of ours too: this way a message passes no listener. */
function receiveMessageOnPort(port) {
  if (typeof port?.[RECEIVE] === 'function') return port[RECEIVE]();
  const received = nodeReceiveMessageOnPort(port);
  if (received !== undefined) received.message = opened(received.message, port);
  return received;
}

module.exports = { openParentPort, parentPort, receiveMessageOnPort, workerData: readWorkerData() };
