'use strict';

/**
 * A port: one end of a message channel.
 *
 * It is a NodeEventTarget of Node's own make, so listeners of both kinds, `once`, `signal`, error handling and
 * everything else about events is Node's code; its prototype stands before Node's `MessagePort.prototype`, so it is an
 * `instanceof` that class. None of the native parts of Node's ports is used: messages come from Rust (`batch.js`), or
 * from the companion (`companion.js`) when their turn has come in Rust's queue.
 *
 * Who gets a message: a waiting `receive()`, else the `message` listeners. The *turn* is told in
 * src/channel/inbox.rs: after a wake no other comes until a `take` found the inbox empty. A port that stops taking
 * before that, because nobody wants messages, keeps the turn, and must go on by itself when somebody does.
 */

const { inspect, types } = require('node:util');

const { setImmediate, setTimeout } = require('../clock');
const nodeGlobals = require('../node-globals');
const { markAsUncloneable } = require('../node-threads');
const { binding } = require('../native');
const { PortClosedError } = require('../errors');
const { listOf } = require('../travel/transfer-list');
const { Batch, Unreadable } = require('./batch');
const { encode } = require('./codec');
const companion = require('./companion');
const { PortBase, destroyed, hasContext, inContext, publicFace, shown } = require('./like-node');
const { CLOSED, DETACHED, FULL, LOOPED, intake, LEFT_CLOSED, LEFT_EMPTY, LEFT_GONE } = require('./native');
const { Introductions } = require('./shared-memory');
const { dataCloneError, postAside, postNowhere, refuseList } = require('./side');
const { delivery, ports } = require('./table');
const { canSettle, settle, throwUncaught } = require('../turn');
const { partsOf } = require('./parts');
const { closedError, limit, movedError, opened, receiveTerms, sliceOf, deadline, timeoutError } = require('./waiting');

/** Node's way to its listeners of both kinds, with the value for the one and the event for the other. */
const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch');
/** The method behind `receiveMessageOnPort`. */
const RECEIVE = Symbol.for('rust-workers.receive');

/** Messages a port gives to its listeners in one turn of the loop, as Node's do. */
const A_TURN = 1000;
/** Of these, as many are decoded at once. */
const AT_ONCE = canSettle ? 256 : 1;
/** Messages that `receive` takes in advance from an unbounded channel. */
const IN_ADVANCE = 64;

const OPEN = 0;
const ENDED = 1;
const MOVED = 2;
/** Closed by one of its listeners: they still get what is in the queue, as in Node. */
const ENDING = 3;

/** Node's MessageEvent takes no ports but those of its own make. */
function eventWithPorts(data, ports) {
  const event = new nodeGlobals.MessageEvent('message', { data });
  return Object.defineProperty(event, 'ports', { value: Object.freeze([...ports]), enumerable: true });
}

/** With what programs know as `MessagePort` over it: see the end. */
class Port extends PortBase {
  #handle = -1;
  #id = 0;
  #peerId = 0;
  #state = OPEN;
  /** What the channel was made with. */
  #terms;
  #fetch = () => companion.receive(this.#half);
  #batch = new Batch(this.#fetch);
  #introductions = new Introductions();
  #half;
  #started = false;
  #refed = false;
  #holds = 0;
  #keepsTurn = false;
  #scheduled = false;
  #delivering = false;
  /** Whether listeners are to be called in an async context of this port's. */
  #inContext = hasContext(this);
  /** The one listener for `message`, when it takes the value and there is no other. */
  #only;
  /** Whether there are listeners for `message`. */
  #listening = false;
  /** Waiting `receive`s, oldest first: `{ resolve, reject }`. */
  #receivers = [];
  /** Waiting `send`s. */
  #senders = [];
  /** As the table of this environment's ports knows it. */
  #entry = { port: this, due: () => this.#due(), room: () => this.#room() };

  constructor(end, terms) {
    super();
    this.#terms = terms;
    // Where Node itself clones it, it would silently be `{}`.
    markAsUncloneable?.(this);
    this.#settleIn(end);
  }

  /** @returns {Port} */
  static create(end, terms) {
    return new Made(end, terms);
  }

  #settleIn({ handle, id, peerId }) {
    this.#handle = handle;
    this.#id = id;
    this.#peerId = peerId;
    this.#state = OPEN;
    ports.set(id, this.#entry);
  }

  // ── Posting ────────────────────────────────────────────────────────────────────────────────────────

  postMessage(value, transfer) {
    if (arguments.length === 0) {
      const error = new TypeError('Not enough arguments to MessagePort.postMessage');
      error.code = 'ERR_MISSING_ARGS';
      throw error;
    }
    const open = this.#state === OPEN;
    this.#post(value, transfer, false);
    return open || undefined;
  }

  /**
   * Posts, in whichever way carries this value.
   *
   * @param {boolean} within only if there is room
   * @returns {number | undefined} what became of it: a number of native.js, undefined for queued
   */
  #post(value, transfer, within) {
    if (this.#state !== OPEN) {
      postNowhere(value, transfer, this);
      return this.#state === MOVED ? DETACHED : CLOSED;
    }
    if (transfer === undefined || transfer === null || (Array.isArray(transfer) && transfer.length === 0)) {
      const written = encode(value, this.#introductions, this.#terms.keepBuffers);
      if (written !== null) {
        const { bytes, length, parts } = written;
        if (parts.length > 0 || within) {
          const together = parts.length > 0 ? partsOf(parts) : undefined;
          return binding.postToPortWith(this.#handle, within, bytes, length, together);
        }
        if (bytes !== intake.outgoing) {
          binding.namePortOutgoing(bytes);
          intake.outgoing = bytes;
        }
        return binding.postToPort(this.#handle, length);
      }
    }
    return this.#postAside(value, transfer, within);
  }

  #postAside(value, transfer, within) {
    // Only this thread posts through this port, so room that is there stays.
    if (within) {
      const refusal = binding.wantPortRoom(this.#handle);
      if (refusal !== 0) return refusal;
    }
    const half = this.#companion();
    if (half === undefined) return this.#postToTask(value, transfer);
    const shared = this.#introductions.introduce();
    const wrapped = postAside(half, value, transfer, shared, this);
    if (shared !== undefined) this.#introductions.confirm(shared);
    // Nobody can get at what was posted to a closed one, so no place is to be held for it.
    if (half === companion.closedHalf()) return CLOSED;
    return binding.postPlaceToPort(this.#handle, wrapped);
  }

  /** The other end is a native task: everything goes through Rust, what is given away as a copy. */
  #postToTask(value, transfer) {
    this.#introductions.forget();
    const buffers = listOf(transfer) ?? refuseList(transfer);
    const written = encode(value, this.#introductions, this.#terms.keepBuffers);
    if (written === null || !buffers.every(types.isArrayBuffer)) {
      throw dataCloneError('The other end of this channel is a native task, which takes plain values and bytes only');
    }
    const { bytes, length, parts } = written;
    const together = parts.length > 0 ? partsOf(parts, buffers.length > 0) : undefined;
    if (buffers.length > 0) nodeGlobals.structuredClone(undefined, { transfer: buffers });
    return binding.postToPortWith(this.#handle, false, bytes, length, together);
  }

  /** This port's half of the companion; undefined when the other end went where Node's ports cannot go. */
  #companion() {
    // It may have closed without our doing: the thread with the other half ends, and our channel with it. Then it does
    // to what is posted what any closed port does.
    if (this.#half !== undefined) return this.#half;
    const peer = ports.get(this.#peerId)?.port;
    if (peer !== undefined && #half in peer) {
      [this.#half, peer.#half] = companion.pair(this.#id, this.#peerId);
      return this.#half;
    }
    return binding.wantPortRoom(this.#handle) === CLOSED ? companion.closedHalf() : undefined;
  }

  trySend(value, transfer) {
    if (this.#senders.length > 0) return false;
    return this.#post(value, transfer, true) === undefined;
  }

  send(value, transfer) {
    return new Promise((resolve, reject) => {
      const sender = { value, transfer, resolve, reject };
      if (this.#senders.length > 0 || !this.#trySender(sender)) this.#senders.push(sender);
      this.#hold();
    });
  }

  /** Whether a waiting `send` is done with, one way or the other. */
  #trySender({ value, transfer, resolve, reject }) {
    try {
      const refusal = this.#post(value, transfer, true);
      if (refusal === FULL) {
        // Asks for a wake too, and may find that there is room by now.
        if (binding.wantPortRoom(this.#handle) === FULL) return false;
        return this.#trySender({ value, transfer, resolve, reject });
      }
      if (refusal === CLOSED || refusal === LOOPED) reject(closedError());
      else if (refusal === DETACHED) reject(movedError());
      else resolve();
    } catch (error) {
      reject(error);
    }
    return true;
  }

  /** There is room at the other end, or nobody is there any more. */
  #room() {
    while (this.#senders.length > 0 && this.#trySender(this.#senders[0])) this.#senders.shift();
    this.#hold();
  }

  get backlog() {
    return this.#state === OPEN ? binding.portBacklog(this.#handle) : 0;
  }

  // ── Delivery ───────────────────────────────────────────────────────────────────────────────────────

  /** It is this port's turn: something waits for it. Does not throw. */
  #due() {
    if (this.#state !== OPEN) return;
    this.#keepsTurn = true;
    this.#delivering = true;
    if (this.#inContext) inContext(this, this.#deliver);
    else this.#deliver();
    this.#delivering = false;
    if (this.#state === ENDING) this.#closeNow();
  }

  #deliver() {
    let budget = A_TURN;
    while (this.#isReceiving()) {
      let left = -1;
      if (this.#batch.length === 0) {
        const most = this.#started ? Math.min(budget, AT_ONCE) : this.#receivers.length;
        left = this.#batch.take(this.#handle, most);
        if (left === LEFT_CLOSED) return this.#end();
        if (left === LEFT_GONE) return;
        if (left === LEFT_EMPTY) this.#keepsTurn = false;
        if (this.#batch.length === 0) return;
      }
      budget -= this.#handOut();
      if (this.#batch.length > 0 || left === LEFT_EMPTY) return;
      if (budget <= 0 || !canSettle) return this.#continueLater();
    }
  }

  #isReceiving() {
    return this.#state === OPEN || this.#state === ENDING;
  }

  /** Gives out what is at hand, as far as somebody wants it; the number of messages given. */
  #handOut() {
    const batch = this.#batch;
    let given = 0;
    while (this.#isReceiving() && batch.length > 0) {
      if (this.#receivers.length > 0) this.#give(this.#receivers.shift(), batch.next());
      else if (this.#started) this.#emit(batch.next());
      else break;
      given++;
    }
    return given;
  }

  #give(receiver, message) {
    if (message instanceof Unreadable) receiver.reject(message.error);
    else receiver.resolve(message);
    this.#hold();
  }

  #emit(message) {
    settle();
    // What ran just now may have closed the port.
    if (!this.#isReceiving()) return;
    const only = this.#only;
    if (only !== undefined && !(message instanceof Unreadable)) {
      try {
        const result = only.call(this, message);
        if (result !== undefined && result !== null && typeof result.then === 'function') {
          result.then(undefined, throwUncaught);
        }
      } catch (error) {
        throwUncaught(error);
      }
      return;
    }
    if (message instanceof Unreadable) super.emit('messageerror', message.error);
    else if (this.#batch.ports === undefined) super.emit('message', message);
    else this[DISPATCH](message, 'message', eventWithPorts(message, this.#batch.ports));
    this.#listenersChanged();
  }

  #continueLater() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // An unref'd immediate would not wake a loop that sleeps; an unref'd timer does, and lets the process end.
    if (this.#holds > 0) setImmediate(this.#continue);
    else setTimeout(this.#continue, 1).unref();
  }

  #continue = () => {
    this.#scheduled = false;
    if (this.#keepsTurn || this.#batch.length > 0) this.#due();
  };

  /** Somebody wants messages from now on. */
  #want() {
    if (this.#keepsTurn || this.#batch.length > 0) this.#continueLater();
    else binding.listenPort(this.#handle, true);
  }

  // ── Listeners ──────────────────────────────────────────────────────────────────────────────────────

  on(type, listener) {
    const alone = type === 'message' && this.listenerCount('message') === 0;
    super.on(type, listener);
    if (alone && typeof listener === 'function' && this.listenerCount('message') === 1) this.#only = listener;
    return this;
  }

  addListener(type, listener) {
    return this.on(type, listener);
  }

  addEventListener(type, ...rest) {
    const before = type === 'message' ? this.listenerCount('message') : 1;
    super.addEventListener(type, ...rest);
    if (type !== 'message') return;
    this.#only = undefined;
    if (before === 0 && this.listenerCount('message') > 0) {
      this.#listening = true;
      this.ref();
      this.start();
    }
  }

  removeEventListener(type, ...rest) {
    super.removeEventListener(type, ...rest);
    if (type === 'message') this.#listenersChanged();
  }

  removeAllListeners(...types) {
    super.removeAllListeners(...types);
    this.#listenersChanged();
    return this;
  }

  #listenersChanged() {
    const count = this.listenerCount('message');
    if (count !== 1) this.#only = undefined;
    if (count === 0 && this.#listening) {
      this.unref();
      this.#stop();
    }
    this.#listening = count > 0;
  }

  /** Messages wait until somebody wants them. */
  #stop() {
    if (!this.#isReceiving() || !this.#started) return;
    this.#started = false;
    if (this.#receivers.length > 0) return;
    this.#keepsTurn = false;
    binding.listenPort(this.#handle, false);
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────────

  start() {
    if (this.#state !== OPEN || this.#started) return;
    this.#started = true;
    this.#want();
  }

  close(callback) {
    if (typeof callback === 'function') this.once('close', callback);
    if (this.#state !== OPEN) return;
    if (!this.#delivering) return this.#closeNow();
    this.#state = ENDING;
    this.#hold();
  }

  #closeNow() {
    binding.closePort(this.#handle);
    this.#leave(ENDED, closedError);
    setImmediate(() => this.#closed());
  }

  /** The other end has closed, and everything from there was delivered. */
  #end() {
    binding.closePort(this.#handle);
    this.#leave(ENDED, closedError);
    this.#closed();
  }

  #closed() {
    // As in Node, where a port counts as closed from now on.
    this.#refed = false;
    settle();
    if (this.#inContext) inContext(this, this.#tellClosed);
    else this.#tellClosed();
    destroyed(this);
  }

  #tellClosed() {
    this.dispatchEvent(new nodeGlobals.Event('close'));
  }

  #leave(state, reason) {
    this.#state = state;
    this.#handle = -1;
    if (ports.get(this.#id) === this.#entry) ports.delete(this.#id);
    this.#keepsTurn = false;
    if (state === ENDED) {
      if (this.#half !== undefined) companion.close(this.#half);
      this.#batch = new Batch(this.#fetch);
    }
    for (const { reject } of [...this.#receivers.splice(0), ...this.#senders.splice(0)]) reject(reason());
    this.#hold();
  }

  ref() {
    if (this.#state !== OPEN) return;
    this.#refed = true;
    this.#hold();
  }

  unref() {
    this.#refed = false;
    this.#hold();
  }

  hasRef() {
    return this.#refed;
  }

  /** The event loop is held by a port that has a reference, and by waiting receives and sends. */
  #hold() {
    const open = this.#state === OPEN;
    const holds = open && (this.#refed || this.#receivers.length > 0 || this.#senders.length > 0) ? 1 : 0;
    if (holds !== this.#holds) {
      delivery.hold(holds - this.#holds);
      this.#holds = holds;
    }
  }

  // ── Receiving by hand ──────────────────────────────────────────────────────────────────────────────

  /** Takes the next message if there is one. Returns LEFT_… ; the message is then at hand. */
  #pull(slice) {
    if (this.#batch.length > 0) return LEFT_EMPTY;
    return this.#batch.receive(this.#handle, slice);
  }

  receive(options) {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = receiveTerms(options);
      signal?.throwIfAborted();
      if (this.#state !== OPEN) throw this.#state === MOVED ? movedError() : closedError();
      const receiver = { resolve, reject };
      if (this.#receivers.length === 0) {
        if (this.#batch.length === 0) this.#takeInAdvance();
        if (this.#state !== OPEN) throw closedError();
        if (this.#batch.length > 0) {
          this.#give(receiver, this.#batch.next());
          if (this.#started) this.#want();
          return;
        }
      }
      this.#receivers.push(receiver);
      if (timeout !== undefined || signal !== undefined) limit(receiver, timeout, signal, this.#dismiss);
      this.#hold();
      this.#want();
    });
  }

  #dismiss = (receiver) => {
    const at = this.#receivers.indexOf(receiver);
    if (at >= 0) this.#receivers.splice(at, 1);
    this.#hold();
  };

  /** For somebody who wants one now, and probably the next ones. */
  #takeInAdvance() {
    if (!this.#started) binding.listenPort(this.#handle, true);
    const left = this.#batch.take(this.#handle, this.#terms.capacity > 0 ? 1 : IN_ADVANCE);
    this.#keepsTurn = left !== LEFT_EMPTY;
    if (left === LEFT_CLOSED) this.#end();
  }

  receiveSync(timeout = Infinity) {
    const until = deadline(timeout);
    if (this.#state !== OPEN) throw this.#state === MOVED ? movedError() : closedError();
    for (;;) {
      const slice = sliceOf(until);
      const left = this.#pull(slice);
      if (this.#batch.length > 0) return opened(this.#batch.next());
      if (left === LEFT_CLOSED || left === LEFT_GONE) {
        this.#end();
        throw closedError();
      }
      if (slice === 0) throw timeoutError(timeout);
    }
  }

  /** `receiveMessageOnPort`. */
  [RECEIVE]() {
    if (this.#state !== OPEN) return undefined;
    const left = this.#pull(0);
    if (this.#batch.length > 0) return { message: opened(this.#batch.next()) };
    if (left === LEFT_CLOSED) this.#end();
    return undefined;
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      let message;
      try {
        message = await this.receive();
      } catch (error) {
        if (error.code === 'ERR_RW_PORT_CLOSED') return;
        throw error;
      }
      yield message;
    }
  }

  // ── Moving ─────────────────────────────────────────────────────────────────────────────────────────

  /** Whether the port is not here any more. */
  static gone(port) {
    return port.#state !== OPEN;
  }

  /** For `lib/ports/travel.js`: the port's parts, made ready to leave this thread. */
  static pack(port) {
    if (port.#state !== OPEN) throw dataCloneError('MessagePort in transfer list is already detached');
    const half = port.#companion();
    const id = port.#id;
    const content = {
      id,
      terms: port.#terms,
      kept: port.#batch.kept,
      half: half !== undefined && companion.isOpen(half) ? half : undefined,
    };
    if (!binding.parkPort(port.#handle, port.#batch.used)) {
      throw dataCloneError('MessagePort in transfer list is already detached');
    }
    if (content.half !== undefined) companion.release(half);
    port.#batch = new Batch(port.#fetch);
    port.#batch.kept = content.kept;
    port.#keepsTurn = false;
    port.#handle = -1;
    port.#state = MOVED;
    return content;
  }

  /** The port could not leave after all. */
  static restore(port, { id, half }) {
    const end = binding.claimPort(id);
    if (end === null) return port.#leave(ENDED, closedError);
    if (half !== undefined) companion.adopt(half, port.#peerId);
    port.#settleIn(end);
    if (port.#started || port.#receivers.length > 0) port.#want();
  }

  /**
   * The port goes to a native task: the handle and the number of used messages are taken with the task's input, at
   * once. There a port has no companion.
   *
   * @returns {[number, number]}
   */
  static toTask(port) {
    if (port.#state !== OPEN) throw dataCloneError('MessagePort in transfer list is already detached');
    const taken = [port.#handle, port.#batch.used];
    if (port.#half !== undefined) companion.close(port.#half);
    const peer = ports.get(port.#peerId)?.port;
    if (peer !== undefined && #half in peer) peer.#half = undefined;
    Port.moved(port);
    return taken;
  }

  /** The port has left. */
  static moved(port) {
    port.#leave(MOVED, movedError);
    setImmediate(() => port.#closed());
  }

  /** A port that has come to this thread. */
  static adopt({ id, terms, kept, half }) {
    const end = binding.claimPort(id);
    if (end === null) throw new PortClosedError('the port was closed on its way');
    const port = Port.create(end, terms);
    port.#batch.kept = kept;
    if (half !== undefined) port.#half = companion.adopt(half, end.peerId);
    return port;
  }

  [inspect.custom]() {
    // A view of a port, as made below, or the prototype.
    if (Object.hasOwn(this, 'active') || this === Port.prototype) return this;
    // Hooks may look at a port that is not made yet.
    return #state in this ? shown(this, this.#state === OPEN, this.#refed) : shown(this, true, false);
  }
}

/** Of every port. Derived by `class`, so that V8 knows how large its objects will be. */
class Made extends Port {}

const MessagePort = publicFace(Made);

module.exports = { MessagePort, Port, RECEIVE };
