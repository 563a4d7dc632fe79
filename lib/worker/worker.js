'use strict';

/**
 * Node's `Worker`, and nothing of Node's taken away: objects of ours can be in `workerData` and in messages too.
 */

const workerThreads = require('../runtime/worker-threads');

const { append } = require('../runtime/intrinsics');
const { publicPortOf } = require('../runtime/port-symbols');
const { isSearching } = require('../transfer/registry');
const { sealWorkerData } = require('../transfer/seal');
const { serialize } = require('../transfer/serialization');
const { asMessage, prepare } = require('./node-port');
const { noteOurs } = require('./unread');

const NodeWorker = workerThreads.Worker;
const { get: threadIdOf } = Object.getOwnPropertyDescriptor(NodeWorker.prototype, 'threadId');

/** A list as Node's Worker reads it: by index. */
function elementsOf(list) {
  const elements = [];
  for (let i = 0; i < list.length; i++) append(elements, list[i]);
  return elements;
}

/** The options of a Worker, with `workerData` serialized when Node comes to read it. */
class SerializingOptions {
  #options;
  #serialized;
  #data;

  constructor(options) {
    this.#options = options;
    // Not something that inherits from the options: their getters are to see themselves, and are read as often and in
    // the order as Node does it.
    this.face = new Proxy({ __proto__: null }, { __proto__: null, get: (_, name) => this.#get(name) });
  }

  #get(name) {
    if (name === 'workerData') return (this.#data ?? this.#serialize(this.#options.workerData, [])).message;
    const option = this.#options[name];
    return name === 'transferList' && option ? this.#listOf(option) : option;
  }

  /** Node asks for the list twice, and takes what is in it from the second. What is in it tells us what the data is. */
  #listOf(list) {
    return new Proxy([], {
      __proto__: null,
      get: (elements, key) => {
        if (this.#data === undefined) {
          this.#serialize(this.#options.workerData, elementsOf(list));
          for (const object of this.#data.list) append(elements, object);
        }
        return elements[key];
      },
    });
  }

  #serialize(value, list) {
    this.#serialized = serialize(value, list);
    this.#data =
      this.#serialized === undefined
        ? { message: value, list }
        : { message: asMessage(this.#serialized, sealWorkerData), list: this.#serialized.transferList };
    return this.#data;
  }

  posted() {
    this.#serialized?.posted();
  }

  refused() {
    this.#serialized?.refused();
  }
}

const hasOptions = (options) => (typeof options === 'object' && options !== null) || typeof options === 'function';

class Worker extends NodeWorker {
  /**
   * @param {string | URL} filename as Node's Worker takes it: relative to the working directory of the process
   * @param {import('node:worker_threads').WorkerOptions} [options]
   */
  // Node has a default of its own for options that are not given.
  constructor(filename, options = undefined) {
    const serializing = isSearching() && hasOptions(options) ? new SerializingOptions(options) : undefined;
    try {
      super(filename, serializing === undefined ? options : serializing.face);
    } catch (error) {
      serializing?.refused();
      throw error;
    }
    serializing?.posted();
    const threadId = Reflect.apply(threadIdOf, this, []);
    noteOurs(threadId);
    prepare(publicPortOf(this), threadId, true);
  }

  /** A Worker that plain worker_threads made is one too, as for every program that had Node's class before. */
  static [Symbol.hasInstance](value) {
    const Class = this === Worker ? NodeWorker : this;
    return Function.prototype[Symbol.hasInstance].call(Class, value);
  }
}

module.exports = { Worker };
