'use strict';

const { seal } = require('./seal');
const { serialize } = require('./serialization');

/**
 * The arguments of a plain `postMessage` for a message with objects of ours: for a `worker_threads.Worker`, and any other
 * port of Node's on which nothing of ours serializes messages.
 *
 *     worker.postMessage(...carry({ port: port2 }, [port2]));        // here
 *     parentPort.on('message', ({ port }) => …);                     // there, `parentPort` from rust-workers
 *
 * They must be posted at once, and once: the ports in the list have left when this returns.
 *
 * @param {unknown} value
 * @param {Iterable<object>} [transferList]
 * @returns {[unknown, object[]]}
 * @throws {DOMException} DataCloneError: a port of ours is in the value and not on the list, or has left before
 */
function carry(value, transferList = []) {
  const list = [...transferList];
  const message = serialize(value, list);
  return message === undefined ? [value, list] : message.post((bundle, rest) => [seal(bundle), rest]);
}

module.exports = { carry };
