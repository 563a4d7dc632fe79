'use strict';

/**
 * A port: one end of a message channel.
 *
 * It is a NodeEventTarget of Node's own make, so listeners of both kinds, `once`, `signal`, error handling and
 * everything else about events is Node's code; its prototype stands before Node's `MessagePort.prototype`, so it is an
 * `instanceof` that class. None of the native parts of Node's ports is used: messages come from Rust (`batch.js`), or
 * from the companion (`companion.js`) when their turn has come in Rust's queue.
 *
 * # Who gets a message, and when
 *
 * A waiting `receive()`, else the `message` listeners. A message is taken only to be given away at once: what the one
 * before has left to be run (ticks, promises) runs first, and then it is asked anew whether the port is still here and
 * somebody still wants messages. So whatever user code does, the next message is the first that was not shown, here
 * or wherever the port goes.
 *
 * The port is *tuned* while the native side may give it messages: from when somebody wants them until nobody does. The
 * *turn* is told in src/channel/inbox.rs: after a wake no other comes until a `take` found the inbox empty. A port that
 * is tuned and stops taking before that keeps the turn: whoever then wants messages goes on by itself.
 *
 * # User code
 *
 * Listeners are called by Node's dispatch, or (the one listener of most ports) here, in the same way: what they throw, or
 * reject with, becomes an uncaught exception in the port's async context. Getters run while a value is posted: they may
 * post, close and move this very port.
 *
 * # The end
 *
 * As in Node a port that was closed, or that was told of the other end's close, is only ENDING for the rest of that turn
 * of the loop: it posts no more and cannot leave, but listeners under way get what is in the queue, and a message that
 * is being posted is posted. Then it has ended, the other end can know of it, and `close` is emitted.
 */

const { inspect, types } = require('node:util');

const { setImmediate, setTimeout } = require('../runtime/clock');
const { markAsUncloneable } = require('../runtime/worker-threads');
const { binding } = require('../native');
const { canSettle, settle, throwUncaught } = require('../runtime/turn');
const { listOf } = require('../transfer/transfer-list');
const { added } = require('../runtime/intrinsics');
const { Batch, NOTHING, Unreadable } = require('./batch');
const { encode, takeLeft } = require('./codec');
const companion = require('./companion');
const { CloseEvent, PortBase, destroyed, eventWithPorts, hasContext, inContext, publicFace, shown } =
  require('./like-node');
const { CLOSED, DETACHED, FULL, LOOPED, OVER, intake, LEFT_CLOSED, LEFT_EMPTY } = require('./native');
const { NEW_LISTENER, NodeEventTarget, REMOVE_LISTENER } = require('../runtime/node-ports');
const { DISPATCH } = require('../runtime/port-symbols');
const { dataCloneError } = require('../runtime/globals');
const { partsOf } = require('./parts');
const { checkRecord } = require('./record');
const { Introductions, Kept } = require('./shared-memory');
const { LOST, WRAPPED, postAside, postNowhere, refuseList } = require('./side');
const { delivery, ports } = require('./table');
const { LimitedReceiver, closedError, movedError, opened, receiveTerms, sliceOf, deadline, timeoutError } = require('./waiting');

/** The method behind `receiveMessageOnPort`. */
const RECEIVE = Symbol.for('rust-workers.receive');

const { listenerCount } = NodeEventTarget.prototype;

/** Messages a port gives to its listeners in one turn of the loop, as Node's do. */
const A_TURN = 1000;
/** Of these, as many are taken at once. */
const AT_ONCE = canSettle ? 256 : 1;
/** Messages that `receive` takes in advance from an unbounded channel. */
const IN_ADVANCE = 64;

const OPEN = 0;
const ENDED = 1;
const MOVED = 2;
/** Closed, until the end of this turn of the loop. */
const ENDING = 3;

/** With what programs know as `MessagePort` over it: see the end. */
class Port extends PortBase {
  #handle = -1;
  #state = OPEN;
  /** What the channel was made with. */
  #terms;
  #batch = new Batch(() => companion.receive(this.#entry), AT_ONCE);
  #introductions;
  #started = false;
  #tuned = false;
  #refed = false;
  #holds = 0;
  #scheduled = false;
  #delivering = false;
  /** Messages it may still give to its listeners in this turn of the loop. */
  #budget = 0;
  /** Whether listeners are to be called in an async context of this port's. */
  #inContext = hasContext(this);
  /** The one listener for `message`, when it takes the value and there is no other. */
  #only;
  /** Waiting `receive`s, oldest first: `{ resolve, reject }`. */
  #receivers = [];
  /** Waiting `send`s. */
  #senders = [];
  /** As the table of this environment's ports knows it. */
  #entry = {
    id: 0,
    peerId: 0,
    order: 0,
    half: undefined,
    /** What came by the half before its turn: the other end was claimed in the very moment in which its loss was looked for. */
    early: undefined,
    /** Whether the half has closed without our doing. */
    isLost: false,
    /** Whether the other end is known to be a native task, which has no half. */
    withTask: false,
    /** The other end goes to a native task. */
    toTask: () => {
      this.#entry.withTask = true;
      this.#introductions.stop();
    },
    due: () => this.#due(),
    room: () => this.#room(),
    /** Ends a port that is ENDING. */
    finish: () => this.#finish(),
  };

  /** @param {{ handle: number, id: number, peerId: number } | null} end null: it has closed on its way here */
  constructor(end, terms, introduced) {
    super();
    this.#terms = terms;
    this.#introductions = new Introductions(introduced);
    if (terms.withTask === true) this.#entry.toTask();
    // Where Node itself clones it, it would silently be `{}`.
    markAsUncloneable?.(this);
    if (end === null) {
      this.#state = ENDED;
      setImmediate(() => this.#closed());
      return;
    }
    this.#handle = end.handle;
    this.#entry.id = end.id;
    this.#entry.peerId = end.peerId;
    ports.add(this.#entry);
  }

  /** @returns {Port} */
  static create(end, terms, introduced = 0) {
    return new Made(end, terms, introduced);
  }

  // ── Posting ────────────────────────────────────────────────────────────────────────────────────────

  postMessage(value, transfer) {
    if (arguments.length === 0) {
      const error = new TypeError('Not enough arguments to MessagePort.postMessage');
      error.code = 'ERR_MISSING_ARGS';
      throw error;
    }
    const open = this.#state === OPEN;
    const refusal = this.#post(value, transfer, false);
    if (ports.inRound) ports.join(this.#entry.peerId);
    return open ? refusal !== CLOSED : undefined;
  }

  /**
   * Posts, in whichever way carries this value.
   *
   * @param {boolean} within only if there is room
   * @returns {number | undefined} what became of it: a number of native.js, undefined for queued
   */
  #post(value, transfer, within) {
    const open = this.#state === OPEN;
    // Before the value is read, which is once. Only this thread posts through this port, so room that is there stays.
    if (within && open) {
      const refusal = binding.wantPortRoom(this.#handle);
      if (refusal !== 0) return refusal;
    }
    if (transfer === undefined || transfer === null || (Array.isArray(transfer) && transfer.length === 0)) {
      const written = encode(value, this.#introductions, this.#terms.keepBuffers);
      if (written !== null) {
        // Closed by a getter, it posts this one yet.
        if (!open || (this.#state !== OPEN && !this.#isReceiving())) return this.#whyNot();
        const { bytes, length, parts } = written;
        if (parts.length > 0) return binding.postToPortWith(this.#handle, bytes, length, partsOf(parts));
        if (bytes !== intake.outgoing) {
          binding.namePortOutgoing(bytes);
          intake.outgoing = bytes;
        }
        return binding.postToPort(this.#handle, length);
      }
      // As it was read, where getters have run.
      value = takeLeft();
    }
    if (!open || !this.#isReceiving()) {
      postNowhere(value, transfer, this);
      return this.#whyNot();
    }
    return this.#postAside(value, transfer);
  }

  #whyNot() {
    return this.#state === MOVED ? DETACHED : CLOSED;
  }

  #postAside(value, transfer) {
    const half = this.#companion();
    if (half === undefined) return this.#postWithoutHalf(value, transfer);
    const shared = this.#introductions.introduce();
    const sent = postAside(half, value, transfer, shared, this);
    // No place is to be held for what nobody can get.
    if (sent === LOST || !this.#isReceiving()) return this.#whyNot();
    if (shared !== undefined) this.#introductions.confirm(shared);
    return binding.postPlaceToPort(this.#handle, sent);
  }

  /**
   * The other end is a native task, or its thread is ending: what Rust can carry goes to it, what is given away as a copy;
   * the rest is refused for a task, and else lost as with any port that is about to close.
   */
  #postWithoutHalf(value, transfer) {
    this.#introductions.forget();
    const buffers = listOf(transfer) ?? refuseList(transfer);
    const written = encode(value, this.#introductions, this.#terms.keepBuffers);
    if (written === null || !buffers.every(types.isArrayBuffer)) {
      if (written === null) value = takeLeft();
      if (!this.#entry.withTask) {
        postNowhere(value, buffers, this);
        return this.#whyNot();
      }
      throw dataCloneError('The other end of this channel is a native task, which takes plain values and bytes only');
    }
    if (!this.#isReceiving()) return this.#whyNot();
    const { bytes, length, parts } = written;
    const together = parts.length > 0 ? partsOf(parts, buffers.length > 0) : undefined;
    if (buffers.length > 0) companion.post(companion.closedHalf(), undefined, buffers);
    return binding.postToPortWith(this.#handle, bytes, length, together);
  }

  /** This port's half of the companion; undefined when the other end went where Node's ports cannot go. */
  #companion() {
    const entry = this.#entry;
    if (entry.half !== undefined) return entry.half;
    const peer = ports.get(entry.peerId);
    if (peer !== undefined) {
      companion.pair(entry, peer);
      return entry.half;
    }
    return binding.wantPortRoom(this.#handle) === CLOSED ? companion.closedHalf() : undefined;
  }

  trySend(value, transfer) {
    if (this.#senders.length > 0) return false;
    const refusal = this.#post(value, transfer, true);
    // OVER: a getter of the value has filled the last place.
    return refusal === undefined || refusal === OVER;
  }

  send(value, transfer) {
    return new Promise((resolve, reject) => {
      const sender = { value, transfer, resolve, reject };
      if (this.#senders.length > 0 || !this.#trySender(sender)) this.#senders = added(this.#senders, sender);
      this.#hold();
    });
  }

  /** Whether a waiting `send` is done with, one way or the other. */
  #trySender({ value, transfer, resolve, reject }) {
    try {
      const refusal = this.#post(value, transfer, true);
      // A wake has been asked for.
      if (refusal === FULL) return false;
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
    if (this.#state !== OPEN || this.#delivering) return;
    this.#delivering = true;
    try {
      if (this.#inContext) inContext(this, this.#deliver);
      else this.#deliver();
    } catch (error) {
      throwUncaught(error);
    }
    this.#delivering = false;
  }

  #isReceiving() {
    return this.#state === OPEN || this.#state === ENDING;
  }

  #deliver() {
    const batch = this.#batch;
    this.#budget = A_TURN;
    for (let looked = false; ; looked = true) {
      settle();
      // What ran just now may have done anything.
      if (!this.#isReceiving()) return;
      if (!this.#started && this.#receivers.length === 0) return this.#rest();
      if (looked && batch.length === 0) {
        // A listener may have posted to this very port: then, as in Node, that comes in the same turn.
        if (batch.left === LEFT_EMPTY && !ports.has(this.#entry.peerId)) return;
        if (!canSettle) return this.#continueLater();
      }
      if (this.#budget <= 0) return this.#continueLater();
      const most = this.#started ? Math.min(this.#budget, AT_ONCE) : this.#receivers.length;
      const message = batch.next(this.#handle, most);
      if (message === NOTHING) {
        if (batch.left === LEFT_CLOSED) this.#end();
        return;
      }
      this.#budget--;
      this.#lookForLoss();
      if (this.#receivers.length > 0) this.#give(this.#receivers.shift(), message);
      else this.#emit(message);
    }
  }

  /** Whether nothing waits for this port. */
  #isDrained() {
    return this.#state === OPEN && binding.portWaiting(this.#handle, this.#batch.shown) === 0;
  }

  /** A half in which something waits does not see the other end's loss; now that all was read it is asked, once. */
  #lookForLoss() {
    const batch = this.#batch;
    if (!batch.hasReadAside || batch.length > 0 || !this.#isDrained()) return;
    batch.hasReadAside = false;
    companion.lookForLoss(this.#entry, () => this.#isDrained());
  }

  #give(receiver, message) {
    if (message instanceof Unreadable) receiver.reject(message.error);
    else receiver.resolve(message);
    this.#hold();
  }

  #emit(message) {
    try {
      const only = this.#only;
      if (only !== undefined && !(message instanceof Unreadable)) {
        const result = only.call(this, message);
        if (result === undefined || result === null) return;
        const { then } = result;
        if (typeof then === 'function') Reflect.apply(then, result, [undefined, throwUncaught]);
        return;
      }
      if (message instanceof Unreadable) this[DISPATCH](message.error, 'messageerror', undefined);
      else if (this.#batch.ports === undefined) this[DISPATCH](message, 'message', undefined);
      else this[DISPATCH](message, 'message', eventWithPorts(this, message, this.#batch.ports));
    } catch (error) {
      throwUncaught(error);
    }
  }

  /** Nobody wants messages. Of what the turn was for only the end is seen all the same. */
  #rest() {
    if (this.#tuned) {
      // Keeps the turn: while something waits the end is not due.
      if (binding.portWaiting(this.#handle, this.#batch.shown) > 0) return;
      this.#tune(false);
      return;
    }
    // A port that is not tuned gets no messages.
    this.#batch.next(this.#handle, 1);
    if (this.#batch.left === LEFT_CLOSED) this.#end();
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
    this.#due();
  };

  /** Somebody wants messages from now on. */
  #want() {
    if (this.#tuned) this.#continueLater();
    else this.#tune(true);
  }

  /** With true, messages wake the port; with false they wait, and the turn goes back. */
  #tune(tuned) {
    this.#tuned = tuned;
    binding.listenPort(this.#handle, this.#batch.end(), tuned);
    if (tuned && ports.inRound) ports.join(this.#entry.id);
  }

  // ── Listeners ──────────────────────────────────────────────────────────────────────────────────────

  on(type, listener) {
    return this.#add(super.on, type, listener);
  }

  addListener(type, listener) {
    return this.#add(super.addListener, type, listener);
  }

  #add(add, type, listener) {
    const alone = type === 'message' && listenerCount.call(this, type) === 0;
    add.call(this, type, listener);
    if (alone && typeof listener === 'function' && listenerCount.call(this, type) === 1) this.#only = listener;
    return this;
  }

  removeAllListeners(...types) {
    this.#only = undefined;
    return super.removeAllListeners(...types);
  }

  /** As in Node's ports, the first listener starts the port and holds the loop. */
  [NEW_LISTENER](size, type, ...rest) {
    if (type === 'message') {
      this.#only = undefined;
      if (size === 1) {
        this.ref();
        this.start();
      }
    }
    return super[NEW_LISTENER](size, type, ...rest);
  }

  /** And the last that goes stops it. */
  [REMOVE_LISTENER](size, type, ...rest) {
    if (type === 'message') {
      this.#only = undefined;
      if (size === 0) {
        this.#stop();
        this.unref();
      }
    }
    return super[REMOVE_LISTENER](size, type, ...rest);
  }

  /** Messages wait until somebody wants them. */
  #stop() {
    if (!this.#isReceiving() || !this.#started) return;
    this.#started = false;
    if (this.#receivers.length === 0 && this.#tuned) this.#tune(false);
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────────

  start() {
    // Also where it is ENDING, by one of its listeners: the next one gets the rest.
    if (!this.#isReceiving() || this.#started) return;
    this.#started = true;
    this.#want();
  }

  close(callback) {
    if (typeof callback === 'function') this.once('close', callback);
    if (this.#state !== OPEN) return;
    // What is in the queue now, listeners under way still get.
    if (this.#delivering) {
      this.#budget = Math.max(this.#budget, binding.portWaiting(this.#handle, this.#batch.shown));
    }
    this.#end();
  }

  /** Closed from here, or the other end has closed and everything from there was delivered. */
  #end() {
    if (this.#state !== OPEN) return;
    this.#state = ENDING;
    this.#hold();
    setImmediate(() => this.#finish());
  }

  #finish() {
    if (this.#state !== ENDING) return;
    const watches = binding.closePort(this.#handle);
    companion.end(this.#entry, watches);
    this.#leave(ENDED, closedError);
    this.#closed();
  }

  #leave(state, reason) {
    this.#state = state;
    this.#handle = -1;
    this.#batch.end();
    this.#batch.kept = new Kept();
    if (ports.get(this.#entry.id) === this.#entry) ports.delete(this.#entry.id);
    for (const waiting of [...this.#receivers.splice(0), ...this.#senders.splice(0)]) waiting.reject(reason());
    this.#hold();
  }

  #closed() {
    // As in Node, where a port counts as closed from now on.
    this.#refed = false;
    if (this.#inContext) inContext(this, this.#tellClosed);
    else this.#tellClosed();
    destroyed(this);
  }

  #tellClosed() {
    this.dispatchEvent(new CloseEvent());
  }

  ref() {
    if (!this.#isReceiving()) return;
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

  receive(options) {
    return new Promise((resolve, reject) => {
      const { timeout, signal } = receiveTerms(options);
      if (signal?.aborted) throw signal.reason;
      if (this.#state !== OPEN) throw this.#state === MOVED ? movedError() : closedError();
      const isLimited = timeout !== undefined || signal !== undefined;
      const receiver = isLimited ? new LimitedReceiver(resolve, reject, this.#dismiss) : { resolve, reject };
      if (this.#receivers.length === 0) {
        const message = this.#takeInAdvance();
        if (message !== NOTHING) return this.#give(receiver, message);
        if (this.#state !== OPEN) throw closedError();
      }
      this.#receivers = added(this.#receivers, receiver);
      if (isLimited) receiver.limit({ timeout, signal });
      this.#hold();
    });
  }

  #dismiss = (receiver) => {
    const at = this.#receivers.indexOf(receiver);
    if (at >= 0) this.#receivers.splice(at, 1);
    this.#hold();
  };

  /** For somebody who wants one now, and probably the next ones. */
  #takeInAdvance() {
    if (!this.#tuned) this.#tune(true);
    const message = this.#batch.next(this.#handle, this.#terms.capacity > 0 ? 1 : IN_ADVANCE);
    if (message === NOTHING && this.#batch.left !== LEFT_EMPTY) this.#end();
    this.#lookForLoss();
    return message;
  }

  receiveSync(timeout = Infinity) {
    const until = deadline(timeout);
    if (this.#state !== OPEN) throw this.#state === MOVED ? movedError() : closedError();
    for (;;) {
      const slice = sliceOf(until);
      // It would never end while this thread is blocked.
      ports.get(this.#entry.peerId)?.finish();
      const message = this.#batch.receive(this.#handle, slice);
      if (message !== NOTHING) {
        this.#lookForLoss();
        return opened(message);
      }
      if (this.#batch.left !== LEFT_EMPTY) {
        this.#end();
        throw closedError();
      }
      if (slice === 0) throw timeoutError(timeout);
      // The event loop would tell, and cannot.
      companion.lookForLoss(this.#entry, () => this.#isDrained());
      companion.lookAtWitnesses();
    }
  }

  /** `receiveMessageOnPort`. */
  [RECEIVE]() {
    if (!this.#isReceiving()) return undefined;
    const message = this.#batch.receive(this.#handle, 0);
    if (message !== NOTHING) {
      this.#lookForLoss();
      return { message: opened(message) };
    }
    if (this.#batch.left === LEFT_CLOSED) this.#end();
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

  /**
   * For `lib/ports/travel.js`: what of the port goes into a message. The port is here still, and of full use, until the
   * message has left.
   *
   * @returns {import('./record').PortRecord}
   */
  static pack(port) {
    if (port.#state !== OPEN) throw dataCloneError('MessagePort in transfer list is already detached');
    let half = port.#companion();
    // When the other end has closed, so has the other half, and this one perhaps by that.
    const alone = half === undefined || port.#entry.isLost || binding.wantPortRoom(port.#handle) === CLOSED;
    if (alone && half !== undefined && companion.isRefused([half]) !== undefined) half = undefined;
    const key = binding.announcePort(port.#handle);
    return {
      key,
      terms: { ...port.#terms, withTask: port.#entry.withTask },
      kept: port.#batch.kept.pairs(),
      introduced: port.#introductions.next,
      half,
      early: port.#entry.early?.error === undefined ? port.#entry.early : undefined,
      witness: alone ? companion.witness(key) : undefined,
    };
  }

  #left() {
    this.#leave(MOVED, movedError);
    setImmediate(() => this.#closed());
  }

  /** The message has not left. */
  static kept(port, { key, witness }) {
    binding.withdrawPort(key);
    if (witness !== undefined) companion.close(witness);
  }

  /** The message has left, and the port with it. */
  static moved(port, { key }) {
    // A getter of the message may have closed it, or moved it in a message of its own.
    if (port.#state !== OPEN) return binding.withdrawPort(key);
    companion.release(port.#entry);
    binding.parkPort(port.#handle, port.#batch.end(), key);
    port.#left();
  }

  /** A port that has come to this thread. One that has closed on its way is closed, as it would be in Node. */
  static adopt(content) {
    const { key, terms, kept, introduced, half, early, witness } = checkRecord(content);
    const end = binding.claimPort(key);
    const port = Port.create(end, terms, introduced);
    if (witness !== undefined) companion.close(witness);
    if (end !== null) {
      port.#batch.kept = new Kept(kept);
      port.#entry.early = early;
      if (half !== undefined) companion.adopt(half, port.#entry);
    } else if (half !== undefined) {
      companion.close(half);
    }
    return port;
  }

  /**
   * The port goes to a native task: its handle and cursor are taken with the task's input, at once. There a port has no
   * companion.
   *
   * @returns {[number, number]}
   */
  static toTask(port) {
    if (port.#state !== OPEN) throw dataCloneError('MessagePort in transfer list is already detached');
    const taken = [port.#handle, port.#batch.end()];
    const half = companion.release(port.#entry);
    if (half !== undefined) companion.close(half);
    const peer = ports.get(port.#entry.peerId);
    if (peer !== undefined) {
      companion.release(peer);
      peer.toTask();
    }
    port.#left();
    return taken;
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
