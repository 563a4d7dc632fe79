'use strict';

/**
 * One end of a channel in this environment: what the parts of a port know together, and how it ends.
 *
 * The port (message-port.js) makes the parts and hangs them here: `reader` (message-reader.js) owns the cursor,
 * `dispatcher` (dispatcher.js) delivers messages, `sender` (sender.js) posts. The table of open ports (open-ports.js)
 * holds endpoints.
 *
 * # The end
 *
 * As in Node a port that was closed, or whose other end has closed, is only *ending* for the rest of that
 * turn of the loop: it posts no more and cannot leave, but listeners under way get what is in the queue, and a message
 * that is being posted is posted. Then it has ended, the other end can know of it, and `close` is emitted.
 */

const { binding } = require('../native');
const { setImmediate } = require('../runtime/clock');
const fallback = require('./fallback');
const { delivery, ports } = require('./open-ports');
const { closedError, movedError } = require('./receive-options');

class Endpoint {
  id = 0;
  peerId = 0;
  /** Its place among the ports of this environment, by when they were made. */
  order = 0;
  /** The native side's; -1 while there is none. */
  handle = -1;
  /** It posts, receives, and can move. A field, as the next one: they are read for each message. */
  isOpen = true;
  /** Messages can still be shown here: it is open, or ending. */
  isReceiving = true;
  hasMoved = false;
  /** The options of the channel: `{ capacity, keepBuffers }`. */
  options;
  /** @type {import('../fallback/fallback-port').FallbackPort | undefined} */
  fallback = undefined;
  /**
   * A message that came by the fallback port before its turn: the other end was claimed at the very moment when this end
   * looked for its loss.
   */
  early = undefined;
  /** Whether the fallback port has closed without our doing. */
  isLost = false;
  /** Whether the other end is known to be a native task, which has no fallback port. */
  withTask = false;
  /** @type {import('./message-reader').MessageReader} */
  reader = undefined;
  /** @type {import('./dispatcher').Dispatcher} */
  dispatcher = undefined;
  /** @type {import('./sender').Sender} */
  sender = undefined;
  #isReferenced = false;
  #holds = 0;

  constructor(options) {
    this.options = options;
  }

  /**
   * It takes part in its channel from now on.
   *
   * @param {{ handle: number, id: number, peerId: number } | null} end null: it has closed on its way here
   */
  open(end) {
    if (this.options.withTask === true) this.toTask();
    if (end === null) {
      this.isOpen = this.isReceiving = false;
      setImmediate(() => this.#closed());
      return;
    }
    this.handle = end.handle;
    this.id = end.id;
    this.peerId = end.peerId;
    ports.add(this);
  }

  /** Why nothing can be received or posted here any more. */
  whyNot() {
    return this.hasMoved ? movedError() : closedError();
  }

  /** The other end goes to a native task. */
  toTask() {
    this.withTask = true;
    this.sender.stopIntroducing();
  }

  // For the table of open ports; these do not throw.

  /** It is this port's turn: something waits for it. */
  due() {
    this.dispatcher.due();
  }

  /** There is room at the other end, or the other end is gone. */
  room() {
    this.sender.room();
  }

  // ── The event loop ─────────────────────────────────────────────────────────────────────────────────

  get isReferenced() {
    return this.#isReferenced;
  }

  ref() {
    if (!this.isReceiving) return;
    this.#isReferenced = true;
    this.updateHold();
  }

  unref() {
    this.#isReferenced = false;
    this.updateHold();
  }

  /** The event loop is held by a port that has a reference, and by waiting receives and sends. */
  updateHold() {
    const isHeld = this.#isReferenced || this.dispatcher.hasReceivers || this.sender.hasSenders;
    const holds = isHeld && this.isOpen ? 1 : 0;
    if (holds === this.#holds) return;
    delivery.hold(holds - this.#holds);
    this.#holds = holds;
  }

  get holdsLoop() {
    return this.#holds > 0;
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────

  /** Closed from here, or the other end has closed and everything from there was delivered. */
  end() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.updateHold();
    setImmediate(() => this.finish());
  }

  /** Ends a port that is ending. */
  finish() {
    if (this.isOpen || !this.isReceiving) return;
    const watches = binding.closePort(this.handle, this.reader.end());
    fallback.end(this, watches);
    this.#leave();
    this.#closed();
  }

  /** The port has moved elsewhere. */
  moved() {
    this.hasMoved = true;
    this.#leave();
    setImmediate(() => this.#closed());
  }

  #leave() {
    this.isOpen = this.isReceiving = false;
    this.handle = -1;
    this.reader.stop();
    if (ports.get(this.id) === this) ports.delete(this.id);
    for (const waiting of [...this.dispatcher.takeReceivers(), ...this.sender.takeSenders()]) waiting.reject(this.whyNot());
    this.updateHold();
  }

  #closed() {
    // As in Node, where a port counts as closed from now on.
    this.#isReferenced = false;
    this.dispatcher.closed();
  }
}

module.exports = { Endpoint };
