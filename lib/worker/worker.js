'use strict';

/** Node's `Worker`, with one addition: `workerData` and messages may hold objects of ours. */

const workerThreads = require('../runtime/worker-threads');

const { channelOf, threadIdOf } = require('../runtime/worker-channel');
const { withReplacedData } = require('../runtime/worker-options');
const { isSearching } = require('../transfer/registry');
const { sealWorkerData } = require('../transfer/seal');
const { serialize } = require('../transfer/serialization');
const { asMessage, prepare } = require('./node-port');
const { noteOurs } = require('./unread');

const NodeWorker = workerThreads.Worker;

const hasOptions = (options) => (typeof options === 'object' && options !== null) || typeof options === 'function';

class Worker extends NodeWorker {
  /**
   * @param {string | URL} filename as Node's Worker takes it: relative to the working directory of the process
   * @param {import('node:worker_threads').WorkerOptions} [options]
   */
  // Node has its own default for missing options.
  constructor(filename, options = undefined) {
    let serialized;
    const replace = (workerData, list) => {
      serialized = serialize(workerData, list);
      return serialized === undefined
        ? { message: workerData, list }
        : { message: asMessage(serialized, sealWorkerData), list: serialized.transferList };
    };
    const isReplaced = isSearching() && hasOptions(options);
    try {
      super(filename, isReplaced ? withReplacedData(options, replace) : options);
    } catch (error) {
      serialized?.refused();
      throw error;
    }
    serialized?.posted();
    const threadId = threadIdOf(this);
    noteOurs(threadId);
    prepare(channelOf(this), threadId, true, { first: serialized?.bundle });
  }

  /** True for a Worker of plain worker_threads too: a program may have got Node's class before it loaded us. */
  static [Symbol.hasInstance](value) {
    const Class = this === Worker ? NodeWorker : this;
    return Function.prototype[Symbol.hasInstance].call(Class, value);
  }
}

module.exports = { Worker };
