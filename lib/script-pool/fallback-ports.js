'use strict';

/**
 * The fallback ports (lib/fallback) of a pool's workers: for values that only Node's own port can carry from a worker to the
 * owner of its pool.
 *
 * A worker posts there first and then queues a placeholder for the message. So all events of a worker have one order,
 * whichever way each of them goes.
 *
 * Where this differs from the fallback ports of channels (ports/fallback.js):
 * - The port is made with its worker, and not when it is first needed: it brings the worker its compiled modules and the
 *   news about its inputs too. So a value has a form of its own, `[isBundle, value]`, and no plain one.
 * - Nothing has to look for a loss: Node reports when a worker has ended.
 * - An entry whose task is gone is skipped, and its message with it; the ports in the message close. A port of a channel
 *   that is not read any more closes itself, and Node drops what is in it.
 * - Inputs, which go the other way, may come before their entry in the queue or after it: they have numbers, by which the
 *   worker finds them (arriving-inputs.js).
 */

const { EVENTS } = require('../constants');
const { FallbackPort } = require('../fallback/fallback-port');
const { discardValue, openValue } = require('../fallback/value');
const { keptOn } = require('../runtime/host-realm');
const { notTooDeep } = require('./too-deep');

/** Registered: each copy of this file must find what the first has kept. */
const KEY = Symbol.for('rust-workers.fallback-ports');

/** Those of the workers of this environment, by the keys of the workers; whichever copy of the package made their pools. */
class FallbackPorts {
  /** key -> `{ fallback, ready(told), wants(id), early }`; `early`: a message that was taken before its entry came */
  #workers = new Map();
  #fences = new Map();
  #lastFence = 0;
  #binding;

  constructor(binding, delivery) {
    this.#binding = binding;
    delivery.handler(EVENTS.FENCE, () => ({ deliver: (id) => this.#passed(id) }));
    delivery.handler(EVENTS.INPUT_WANTED, () => ({ deliver: (id, key) => this.#workers.get(key)?.wants(id) }));
  }

  /**
   * @param {number} key of the worker
   * @param {{ port: object, ready(told: object): void, wants(id: number): void }} worker `port` is Node's
   */
  open(key, { port, ready, wants }) {
    this.#workers.set(key, { fallback: new FallbackPort(port), ready, wants, early: undefined });
  }

  close(key) {
    this.#workers.get(key)?.fallback.close();
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
    return openValue(isBundle, value);
  }

  /** Nobody waits for the next value of this worker: releases the objects that were transferred with it. */
  skip(key) {
    let message;
    try {
      message = this.#next(key);
    } catch {
      // It could not be read either.
      return;
    }
    discardValue(message[0], message[1]);
  }

  /**
   * Whether the worker of this key has ended, and all that it sent was read; for a thread that is blocked, to which Node reports
   * nothing. The end of a port is seen by asking for a message.
   */
  isLost(key) {
    const worker = this.#workers.get(key);
    if (worker === undefined || worker.early !== undefined) return false;
    try {
      worker.early = worker.fallback.receive();
    } catch (error) {
      worker.early = { error };
    }
    return worker.early === undefined && worker.fallback.isClosing;
  }

  #next(key) {
    const worker = this.#workers.get(key);
    const { early } = worker ?? {};
    if (early !== undefined) {
      worker.early = undefined;
      if ('error' in early) throw notTooDeep(early.error, 'a value from the worker');
      return early.message;
    }
    const received = receive(worker?.fallback);
    if (received === undefined) {
      const { InternalError } = require('../errors');
      throw new InternalError('a value was lost on its way from a worker; please report this');
    }
    return received.message;
  }

  /** Calls `then` once all events that the workers have sent so far have been delivered. */
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

function receive(fallback) {
  try {
    return fallback?.receive();
  } catch (error) {
    throw notTooDeep(error, 'a value from the worker');
  }
}

/** Those of this environment. */
const fallbackPortsOf = (binding, delivery) =>
  keptOn(delivery, KEY, module, (host) =>
    delivery.handler(EVENTS.SCRIPT_READY, () => new host.FallbackPorts(binding, delivery)));

module.exports = { FallbackPorts, fallbackPortsOf };
