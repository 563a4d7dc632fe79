'use strict';

/**
 * The way beside the queue: what only Node's own port can carry.
 *
 * Each worker has a port of Node's to the owner of its pool. A worker posts there first and then tells the owner through
 * the queue, where a notice holds the message's place; the owner takes the next message of that worker's port when it comes
 * to the notice. So there is one order for all that a worker tells, whichever way it goes. The owner's end is never
 * started: nothing arrives but by its notice.
 *
 * A message is `[isBundle, value]`: whether the value holds objects of ours (lib/travel) is told outside of it.
 */

const { receiveMessageOnPort } = require('../runtime/worker-threads');

const FORMS = require('../forms');
const { keptOn } = require('../runtime/host-realm');
const { notTooDeep } = require('./too-deep');

/** Registered: each copy of this file must find what the first has kept. */
const KEY = Symbol.for('rust-workers.ways');

/** The workers of this environment, by the keys of their seats; whichever copy of the package made their pools. */
class Ways {
  /** key -> `{ port, ready(told), wants(id) }` */
  #workers = new Map();
  #fences = new Map();
  #lastFence = 0;
  #binding;

  constructor(binding, delivery) {
    this.#binding = binding;
    delivery.subject(FORMS.FENCE, () => ({ deliver: (id) => this.#passed(id) }));
    delivery.subject(FORMS.INPUT_WANTED, () => ({ deliver: (id, key) => this.#workers.get(key)?.wants(id) }));
  }

  open(key, worker) {
    this.#workers.set(key, worker);
  }

  close(key) {
    this.#workers.get(key)?.port.close();
    this.#workers.delete(key);
  }

  /** The worker of this key is ready. */
  deliver(key) {
    const worker = this.#workers.get(key);
    if (worker !== undefined) worker.ready(this.take(key));
  }

  /**
   * The next value of this worker.
   *
   * @throws what Node, or a class of ours, says of a value that cannot be read here
   */
  take(key) {
    const [isBundle, value] = this.#next(key);
    return isBundle ? require('../transfer').arrive(value) : value;
  }

  /** The next value of this worker is for nobody: what was given away with it is let go. */
  skip(key) {
    try {
      const [isBundle, value] = this.#next(key);
      require('./transfer').discardArrived({ isBundle, value });
    } catch {
      // It could not be read either.
    }
  }

  #next(key) {
    const worker = this.#workers.get(key);
    const received = worker === undefined ? undefined : receive(worker.port);
    if (received === undefined) {
      const { InternalError } = require('../errors');
      throw new InternalError('a value was lost on its way from a worker; please report this');
    }
    return received.message;
  }

  /** Calls `then` once all that the workers have told so far has been delivered. */
  afterAll(then) {
    const id = ++this.#lastFence;
    this.#fences.set(id, then);
    this.#binding.pushFence(id);
  }

  #passed(id) {
    const then = this.#fences.get(id);
    this.#fences.delete(id);
    then?.();
  }
}

function receive(port) {
  try {
    return receiveMessageOnPort(port);
  } catch (error) {
    throw notTooDeep(error, 'a value from the worker');
  }
}

/** Those of this environment. */
const waysOf = (binding, delivery) =>
  keptOn(delivery, KEY, module, (host) => delivery.subject(FORMS.SCRIPT_READY, () => new host.Ways(binding, delivery)));

module.exports = { Ways, waysOf };
