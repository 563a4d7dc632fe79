'use strict';

/**
 * Node's `Worker`, and nothing of Node's taken away: objects of ours travel too, in `workerData` and in messages.
 */

const workerThreads = require('../node-threads');

const { arrive, departure, seal, unseal } = require('../travel');

const NodeWorker = workerThreads.Worker;
const nodePostMessage = NodeWorker.prototype.postMessage;

/** The arguments of Node's constructor, with objects of ours in `workerData` made ready to leave. */
function start(filename, options, construct) {
  const leaving =
    typeof options === 'object' && options !== null && departure(options.workerData, options.transferList);
  if (!leaving) return construct(filename, options);
  return leaving.leave((bundle, transferList) => {
    // Inherits, so that Node finds every other option where the caller put it.
    const changed = Object.create(options, { workerData: { value: seal(bundle) }, transferList: { value: transferList } });
    return construct(filename, changed);
  });
}

class Worker extends NodeWorker {
  /**
   * @param {string | URL} filename as Node's Worker takes it: relative to the working directory of the process
   * @param {import('node:worker_threads').WorkerOptions} [options]
   */
  constructor(filename, options = {}) {
    start(filename, options, (...args) => super(...args));
  }

  /**
   * @param {unknown} value
   * @param {Iterable<object> | { transfer?: Iterable<object> }} [transfer]
   */
  postMessage(...args) {
    const leaving = departure(args[0], args[1]);
    if (leaving === undefined) return nodePostMessage.apply(this, args);
    return leaving.leave((bundle, list) => nodePostMessage.call(this, seal(bundle), list));
  }

  /** Where Node hands over what the thread posted; a message with objects of ours gets them here. */
  emit(event, ...args) {
    const bundle = event === 'message' ? unseal(args[0]) : undefined;
    if (bundle !== undefined) {
      let message;
      try {
        message = arrive(bundle);
      } catch (error) {
        return super.emit('messageerror', error);
      }
      return super.emit(event, message);
    }
    return super.emit(event, ...args);
  }

  /** A Worker that plain worker_threads made is one too, as for every program that had Node's class before. */
  static [Symbol.hasInstance](value) {
    const Class = this === Worker ? NodeWorker : this;
    return Function.prototype[Symbol.hasInstance].call(Class, value);
  }
}

module.exports = { Worker };
