'use strict';

/**
 * Our ports in Node's own messages. `lib/travel` does the work for `Worker` of rust-workers, `workerData` and
 * `parentPort`; for a plain `worker_threads.Worker` there is `carry`:
 *
 *     worker.postMessage(...carry({ port: port2 }, [port2]));        // here
 *     parentPort.on('message', ({ port }) => …);                     // there, `parentPort` from rust-workers
 *
 * A port travels as a record (record.js) with its key, under which the native side keeps it meanwhile, and its half of
 * the companion, which is on Node's transfer list. Whatever way the message ends, the companion half ends too, and tells
 * (companion.js).
 */

const { departure, register, seal, wake } = require('../transfer');
const { recognise } = require('../transfer/registry');
const { transferablesIn } = require('../transfer/search');
const { MessagePort, Port } = require('./message-port');

register(Port, {
  brand: 'MessagePort',
  moves: true,
  gone: Port.gone,
  pack: Port.pack,
  transferables: ({ half, early, witness }) => [
    ...[half, witness].filter((port) => port !== undefined),
    ...(early === undefined ? [] : transferablesIn(early.message)),
  ],
  unpack: (content) => {
    wake();
    return Port.adopt(content);
  },
  toTask: Port.toTask,
  moved: Port.moved,
  kept: Port.kept,
});

recognise(MessagePort, 'MessagePort');

/**
 * The arguments of a plain `postMessage` for a message with objects of ours. They must be posted at once, and once: the
 * ports in the list have left when this returns.
 *
 * @param {unknown} value
 * @param {Iterable<object>} [transferList]
 * @returns {[unknown, object[]]}
 * @throws {DOMException} DataCloneError: a port of ours is in the value and not on the list, or has left before
 */
function carry(value, transferList = []) {
  const list = [...transferList];
  const leaving = departure(value, list);
  return leaving === undefined ? [value, list] : leaving.leave((bundle, transferList) => [seal(bundle), transferList]);
}

module.exports = { carry };
