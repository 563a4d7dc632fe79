'use strict';

/**
 * Gives the messages of a port away, in the port's turn.
 *
 * # Which listener gets a message, and when
 *
 * A waiting `receive()`, else the `message` listeners. A message is taken only to be delivered at once: what the one
 * before has left to be run (ticks, promises) runs first, and then we check again whether the port is still here and
 * messages are still wanted. So whatever user code does, the next message is the first that was not shown, here
 * or wherever the port goes.
 *
 * The port is *tuned* while the native side may give it messages: from when messages are wanted until nobody wants them.
 * src/channel/inbox.rs describes the *turn*: after a wake no other comes until a `take` found the inbox empty. A port that
 * is tuned and stops taking before that keeps the turn: it goes on by itself as soon as messages are wanted again.
 *
 * # User code
 *
 * Listeners are called by Node's dispatch, or (the one listener of most ports) here, in the same way: what they throw, or
 * reject with, becomes an uncaught exception in the port's async context.
 */

const { added } = require('../runtime/intrinsics');
const { binding } = require('../native');
const { setImmediate, setTimeout } = require('../runtime/clock');
const { DISPATCH } = require('../runtime/port-symbols');
const { canSettle, settle, throwUncaught } = require('../runtime/turn');
const { CloseEvent, destroyed, eventWithPorts, hasContext, inContext } = require('./like-node');
const { MessageReader, NOTHING, Unreadable } = require('./message-reader');
const { ports } = require('./open-ports');
const { LEFT_CLOSED, LEFT_EMPTY } = require('../constants').PORTS;

/** Messages that a port delivers to its listeners in one turn of the loop, as Node's ports do. */
const A_TURN = 1000;
/** Of these, as many are taken at once. */
const AT_ONCE = canSettle ? 256 : 1;
/** Messages that `receive` takes in advance from an unbounded channel. */
const IN_ADVANCE = 64;

class Dispatcher {
  #endpoint;
  #port;
  #reader;
  /** Waiting `receive`s, oldest first: `{ resolve, reject }`. */
  #receivers = [];
  #started = false;
  #tuned = false;
  #scheduled = false;
  #delivering = false;
  /** Messages it may still give to its listeners in this turn of the loop. */
  #budget = 0;
  /** Whether listeners are to be called in an async context of this port's. */
  #inContext;
  /** The one listener for `message`, when it takes the value and there is no other. */
  only = undefined;

  /**
   * @param {import('./endpoint').Endpoint} endpoint
   * @param {object} port whose listeners get the messages
   */
  constructor(endpoint, port) {
    this.#endpoint = endpoint;
    this.#port = port;
    this.#reader = new MessageReader(endpoint, AT_ONCE);
    this.#inContext = hasContext(port);
  }

  get reader() {
    return this.#reader;
  }

  // ── The turn ───────────────────────────────────────────────────────────────────────────────────────

  /** It is this port's turn: something waits for it. Does not throw. */
  due() {
    if (!this.#endpoint.isOpen || this.#delivering) return;
    this.#delivering = true;
    try {
      if (this.#inContext) inContext(this.#port, () => this.#deliver());
      else this.#deliver();
    } catch (error) {
      throwUncaught(error);
    }
    this.#delivering = false;
  }

  #deliver() {
    const endpoint = this.#endpoint;
    const reader = this.#reader;
    this.#budget = A_TURN;
    for (let looked = false; ; looked = true) {
      settle();
      // The listeners may have closed, moved or emptied the port.
      if (!endpoint.isReceiving) return;
      if (!this.#started && this.#receivers.length === 0) return this.#rest();
      if (looked && reader.length === 0) {
        // A listener may have posted to this very port: then, as in Node, that comes in the same turn.
        if (reader.left === LEFT_EMPTY && !ports.has(endpoint.peerId)) return;
        if (!canSettle) return this.#continueLater();
      }
      if (this.#budget <= 0) return this.#continueLater();
      const most = this.#started ? Math.min(this.#budget, AT_ONCE) : this.#receivers.length;
      const message = reader.next(most);
      if (message === NOTHING) {
        if (reader.left === LEFT_CLOSED) endpoint.end();
        return;
      }
      this.#budget--;
      if (reader.hasReadFallback) reader.lookForLoss();
      if (this.#receivers.length > 0) this.give(this.#receivers.shift(), message);
      else this.#emit(message);
    }
  }

  #emit(message) {
    const port = this.#port;
    try {
      const { only } = this;
      if (only !== undefined && !(message instanceof Unreadable)) {
        const result = only.call(port, message);
        if (result === undefined || result === null) return;
        const { then } = result;
        if (typeof then === 'function') Reflect.apply(then, result, [undefined, throwUncaught]);
        return;
      }
      if (message instanceof Unreadable) port[DISPATCH](message.error, 'messageerror', undefined);
      else if (this.#reader.ports === undefined) port[DISPATCH](message, 'message', undefined);
      else port[DISPATCH](message, 'message', eventWithPorts(port, message, this.#reader.ports));
    } catch (error) {
      throwUncaught(error);
    }
  }

  /** Nobody wants messages. Of what the turn was for only the end is seen all the same. */
  #rest() {
    if (this.#tuned) {
      // Keeps the turn: while something waits the end is not due.
      if (this.#reader.waiting > 0) return;
      this.#tune(false);
      return;
    }
    // A port that is not tuned gets no messages.
    this.#reader.next(1);
    if (this.#reader.left === LEFT_CLOSED) this.#endpoint.end();
  }

  #continueLater() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // An unref'd immediate would not wake a loop that sleeps; an unref'd timer does, and lets the process end.
    if (this.#endpoint.holdsLoop) setImmediate(this.#continue);
    else setTimeout(this.#continue, 1).unref();
  }

  #continue = () => {
    this.#scheduled = false;
    this.due();
  };

  /** With true, messages wake the port; with false they wait, and the turn goes back. */
  #tune(tuned) {
    this.#tuned = tuned;
    binding.listenPort(this.#endpoint.handle, this.#reader.end(), tuned);
    if (tuned && ports.inRound) ports.join(this.#endpoint.id);
  }

  // ── Listeners ──────────────────────────────────────────────────────────────────────────────────────

  /** Listeners want messages from now on. */
  start() {
    // Also where it is ending, by one of its listeners: the next one gets the rest.
    if (!this.#endpoint.isReceiving || this.#started) return;
    this.#started = true;
    if (this.#tuned) this.#continueLater();
    else this.#tune(true);
  }

  /** Messages wait until they are wanted. */
  stop() {
    if (!this.#endpoint.isReceiving || !this.#started) return;
    this.#started = false;
    if (this.#receivers.length === 0 && this.#tuned) this.#tune(false);
  }

  /** The port is about to be closed from here: listeners under way still get what is in the queue now. */
  closing() {
    if (this.#delivering) this.#budget = Math.max(this.#budget, this.#reader.waiting);
  }

  /** The port has closed: notifies its listeners. */
  closed() {
    const port = this.#port;
    const tell = () => port.dispatchEvent(new CloseEvent());
    if (this.#inContext) inContext(port, tell);
    else tell();
    destroyed(port);
  }

  // ── Waiting receives ───────────────────────────────────────────────────────────────────────────────

  get hasReceivers() {
    return this.#receivers.length > 0;
  }

  addReceiver(receiver) {
    this.#receivers = added(this.#receivers, receiver);
  }

  /** Takes one off the list. */
  dismiss(receiver) {
    const at = this.#receivers.indexOf(receiver);
    if (at >= 0) this.#receivers.splice(at, 1);
    this.#endpoint.updateHold();
  }

  /** Those that wait; none does from now on. */
  takeReceivers() {
    return this.#receivers.splice(0);
  }

  give(receiver, message) {
    if (message instanceof Unreadable) receiver.reject(message.error);
    else receiver.resolve(message);
    this.#endpoint.updateHold();
  }

  /** The next message, or NOTHING, for a `receive` that wants one now; others will probably follow. */
  takeInAdvance() {
    if (!this.#tuned) this.#tune(true);
    const reader = this.#reader;
    const message = reader.next(this.#endpoint.options.capacity > 0 ? 1 : IN_ADVANCE);
    if (message === NOTHING && reader.left !== LEFT_EMPTY) this.#endpoint.end();
    if (reader.hasReadFallback) reader.lookForLoss();
    return message;
  }
}

module.exports = { Dispatcher };
