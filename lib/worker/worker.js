'use strict';

/**
 * Node's `Worker`, and nothing of Node's taken away: objects of ours travel too, in `workerData` and in messages.
 */

const workerThreads = require('../runtime/worker-threads');

const { append } = require('../runtime/intrinsics');
const { publicPortOf } = require('../runtime/port-symbols');
const { departure } = require('../transfer');
const { sealData } = require('../transfer/seal');
const { isAwake } = require('../transfer/registry');
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

/** The options of a Worker, with objects of ours in `workerData` made ready to leave when Node comes to read them. */
class LeavingOptions {
  #options;
  #leaving;
  #data;

  constructor(options) {
    this.#options = options;
    // Not something that inherits from the options: their getters are to see themselves, and are read as often and in
    // the order as Node does it.
    this.face = new Proxy({ __proto__: null }, { __proto__: null, get: (_, name) => this.#get(name) });
  }

  #get(name) {
    if (name === 'workerData') return (this.#data ?? this.#depart(this.#options.workerData, [])).message;
    const option = this.#options[name];
    return name === 'transferList' && option ? this.#listOf(option) : option;
  }

  /** Node asks for the list twice, and takes what is in it from the second. What is in it tells us what the data is. */
  #listOf(list) {
    return new Proxy([], {
      __proto__: null,
      get: (elements, key) => {
        if (this.#data === undefined) {
          this.#depart(this.#options.workerData, elementsOf(list));
          for (const object of this.#data.list) append(elements, object);
        }
        return elements[key];
      },
    });
  }

  #depart(value, list) {
    this.#leaving = departure(value, list);
    this.#data =
      this.#leaving === undefined
        ? { message: value, list }
        : { message: asMessage(this.#leaving, sealData), list: this.#leaving.transferList };
    return this.#data;
  }

  moved() {
    this.#leaving?.moved();
  }

  kept() {
    this.#leaving?.kept();
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
    const leaving = isAwake() && hasOptions(options) ? new LeavingOptions(options) : undefined;
    try {
      super(filename, leaving === undefined ? options : leaving.face);
    } catch (error) {
      leaving?.kept();
      throw error;
    }
    leaving?.moved();
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
