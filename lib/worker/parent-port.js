'use strict';

/**
 * The way between this thread and its parent. `parentPort` stays Node's own object, so that scripts which take it from
 * worker_threads, before or after, have the same one; what leaves and what arrives on it is looked at.
 */

const workerThreads = require('../node-threads');

const { arrive, departure, seal, unseal } = require('../travel');

const { receiveMessageOnPort: nodeReceiveMessageOnPort } = workerThreads;
// As it is now: a script pool's worker puts the script's own there.
const { workerData: nodeWorkerData } = require('node:worker_threads');

/** On a port that has been prepared. Global, because under Jest there are several copies of this file. */
const PREPARED = Symbol.for('rust-workers.port');
/**
 * The method by which Node hands every message to the listeners of a port, whatever their kind: `(data, type, event)`.
 * A global symbol, the same from Node 14 on, because Node's own parts that stand in each context need it.
 */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch');

function hide(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true });
}

/** Lets objects of ours leave and arrive by a port of Node's. */
function prepare(port) {
  if (port[PREPARED]) return;
  const { postMessage, [DISPATCH]: dispatch } = port;

  hide(port, PREPARED, true);
  hide(port, 'postMessage', function (...args) {
    const leaving = departure(args[0], args[1]);
    if (leaving === undefined) return postMessage.apply(this, args);
    return leaving.leave((bundle, list) => postMessage.call(this, seal(bundle), list));
  });
  hide(port, DISPATCH, function (data, type, event) {
    const bundle = type === 'message' ? unseal(data) : undefined;
    if (bundle === undefined) return dispatch.call(this, data, type, event);
    let message;
    try {
      message = arrive(bundle);
    } catch (error) {
      return dispatch.call(this, error, 'messageerror', event);
    }
    return dispatch.call(this, message, type, event);
  });
}

const { parentPort } = workerThreads;
if (parentPort !== null) prepare(parentPort);

/** Node's `workerData`, with objects of ours in it. */
const givenBundle = unseal(nodeWorkerData);
const workerData = givenBundle === undefined ? nodeWorkerData : arrive(givenBundle);

/** Node's `receiveMessageOnPort`: this way a message passes no listener. */
function receiveMessageOnPort(port) {
  const received = nodeReceiveMessageOnPort(port);
  const bundle = received === undefined ? undefined : unseal(received.message);
  if (bundle !== undefined) received.message = arrive(bundle);
  return received;
}

module.exports = { parentPort, receiveMessageOnPort, workerData };
