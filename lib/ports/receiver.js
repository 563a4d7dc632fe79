'use strict';

/** Receiving by hand: `receive()`, `receiveSync()`, and the method behind `receiveMessageOnPort`. */

const { Cancellable } = require('../cancellable');
const { reasonOf } = require('../errors');
const { lookAtLossPorts, lookForLoss } = require('./lost-ports');
const { NOTHING, Unreadable } = require('./message-reader');
const { ports } = require('./open-ports');
const { LEFT_CLOSED, LEFT_EMPTY } = require('../constants').PORTS;
const { closedError, deadline, receiveOptions, sliceOf, timeoutError } = require('./receive-options');

/** The message itself; throws when it could not be read. */
function opened(message) {
  if (message instanceof Unreadable) throw message.error;
  return message;
}

/** A `receive` that waits for a message, and has a limit. */
class LimitedReceiver extends Cancellable {
  #dispatcher;

  /**
   * @param {(message: unknown) => void} resolve
   * @param {(error: unknown) => void} reject
   * @param {import('./dispatcher').Dispatcher} dispatcher has the list of those that wait
   */
  constructor(resolve, reject, dispatcher) {
    super(resolve, reject);
    this.#dispatcher = dispatcher;
  }

  /** @param {{ timeout?: number, signal?: AbortSignal }} options one of them is given */
  limit({ timeout, signal }) {
    // The port itself holds the event loop while a `receive` waits.
    if (timeout !== undefined) this.limitTime(timeout, () => this.endEarly(() => timeoutError(timeout)), false);
    if (signal !== undefined) this.watch(signal, reasonOf);
  }

  endEarly(errorOf) {
    if (this.isSettled) return;
    this.#dispatcher.dismiss(this);
    this.reject(errorOf());
  }
}

class Receiver {
  #endpoint;
  #dispatcher;
  #reader;

  /**
   * @param {import('./endpoint').Endpoint} endpoint
   * @param {import('./dispatcher').Dispatcher} dispatcher
   */
  constructor(endpoint, dispatcher) {
    this.#endpoint = endpoint;
    this.#dispatcher = dispatcher;
    this.#reader = dispatcher.reader;
  }

  receive(options) {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = receiveOptions(options);
      if (signal?.aborted) throw signal.reason;
      const endpoint = this.#endpoint;
      const dispatcher = this.#dispatcher;
      if (!endpoint.isOpen) throw endpoint.whyNot();
      const isLimited = timeout !== undefined || signal !== undefined;
      const receiver = isLimited ? new LimitedReceiver(resolve, reject, dispatcher) : { resolve, reject };
      if (!dispatcher.hasReceivers) {
        const message = dispatcher.takeInAdvance();
        if (message !== NOTHING) return dispatcher.give(receiver, message);
        if (!endpoint.isOpen) throw closedError();
      }
      dispatcher.addReceiver(receiver);
      if (isLimited) receiver.limit({ timeout, signal });
      endpoint.updateHold();
    });
  }

  receiveSync(timeout) {
    const until = deadline(timeout);
    const endpoint = this.#endpoint;
    const reader = this.#reader;
    if (!endpoint.isOpen) throw endpoint.whyNot();
    for (;;) {
      const slice = sliceOf(until);
      // It would never end while this thread is blocked.
      ports.get(endpoint.peerId)?.finish();
      const message = reader.receive(slice);
      if (message !== NOTHING) {
        if (reader.hasReadFallback) reader.lookForLoss();
        return opened(message);
      }
      if (reader.left !== LEFT_EMPTY) {
        endpoint.end();
        throw closedError();
      }
      if (slice === 0) throw timeoutError(timeout);
      // The event loop would report it, but is blocked.
      lookForLoss(endpoint);
      lookAtLossPorts();
    }
  }

  /** The result of `receiveMessageOnPort`. */
  receiveMessage() {
    const endpoint = this.#endpoint;
    const reader = this.#reader;
    if (!endpoint.isReceiving) return undefined;
    const message = reader.receive(0);
    if (message !== NOTHING) {
      if (reader.hasReadFallback) reader.lookForLoss();
      return { message: opened(message) };
    }
    if (reader.left === LEFT_CLOSED) endpoint.end();
    return undefined;
  }
}

module.exports = { Receiver };
