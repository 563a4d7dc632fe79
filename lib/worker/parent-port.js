'use strict';

/** The way between this thread and its parent, from this end, and what the thread was started with. */

const workerThreads = require('../runtime/worker-threads');

const { binding } = require('../native');
const { RUNNER } = require('../script-pool/task');
const { arrive } = require('../transfer');
const { unsealData } = require('../transfer/seal');
const { shared } = require('../transfer/thread-state');
const { opened, prepare } = require('./node-port');
const { noteLoaded } = require('./unread');

const nodeReceiveMessageOnPort = workerThreads.receiveMessageOnPort;
// As it is now: a script pool's worker puts the script's own there.
const { workerData: nodeWorkerData } = require('node:worker_threads');

const { parentPort, threadId } = workerThreads;
if (parentPort !== null) {
  // In a script pool's worker an answer to a task is the runner's, which has put its own `postMessage` there before.
  prepare(parentPort, threadId, false, () => binding[RUNNER]?.isAsked ?? false);
  noteLoaded(threadId);
}

/** Node's `workerData`, with objects of ours in it. Opened once for all copies of this file. */
function readWorkerData() {
  if (shared.opened.has(nodeWorkerData)) return shared.opened.get(nodeWorkerData);
  const bundle = unsealData(nodeWorkerData);
  if (bundle === undefined) return nodeWorkerData;
  const data = arrive(bundle);
  shared.opened.set(nodeWorkerData, data);
  return data;
}

/** Node's `receiveMessageOnPort`: this way a message passes no listener. */
function receiveMessageOnPort(port) {
  const received = nodeReceiveMessageOnPort(port);
  if (received !== undefined) received.message = opened(received.message, port);
  return received;
}

module.exports = { parentPort, receiveMessageOnPort, workerData: readWorkerData() };
