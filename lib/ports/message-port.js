'use strict';

/**
 * A port: one end of a message channel, as programs see it.
 *
 * It is a NodeEventTarget of Node's own make, so listeners of both kinds, `once`, `signal`, error handling and
 * everything else about events is Node's code; its prototype stands before Node's `MessagePort.prototype`, so it is an
 * `instanceof` that class. None of the native parts of Node's ports is used: messages come from Rust, or from the fallback
 * port when their turn has come in Rust's queue.
 *
 * Its parts have a file each: the endpoint is their common state, and how it ends (endpoint.js), the sender posts
 * (sender.js), the dispatcher delivers messages to listeners and waiting receives in the port's turn (dispatcher.js), the
 * receiver takes them by hand (receiver.js). How a port moves to another thread stands in transfer.js.
 */

const { inspect } = require('node:util');

const { lineOf } = require('../inspection');
const { binding } = require('../native');
const { NEW_LISTENER, NodeEventTarget, REMOVE_LISTENER } = require('../runtime/node-ports');
const { MessagePort: NodePort, markAsUncloneable } = require('../runtime/worker-threads');
const { RECEIVE } = require('../transfer/thread-state');
const { Dispatcher } = require('./dispatcher');
const { Endpoint } = require('./endpoint');
const { PortBase, publicFace } = require('./like-node');
const { Receiver } = require('./receiver');
const { Sender } = require('./sender');

const { listenerCount } = NodeEventTarget.prototype;

/** Too deep within what is shown: as Node's, whose ports have a tag of their own since Node 26.12. */
const TOO_DEEP = Object.hasOwn(NodePort.prototype, Symbol.toStringTag) ? '[MessagePort]' : '[MessagePort [EventTarget]]';

/** With what programs know as `MessagePort` over it: see the end. */
class Port extends PortBase {
  #endpoint;
  #sender;
  #dispatcher;
  #receiver;

  /**
   * @param {{ handle: number, id: number, peerId: number } | null} end null: it has closed on its way here
   * @param {{ capacity: number, keepBuffers: boolean, withTask?: boolean }} options what the channel was made with
   * @param {number} introduced how far the last owner's numbers of shared memory went
   */
  constructor(end, options, introduced) {
    super();
    const endpoint = new Endpoint(options);
    this.#endpoint = endpoint;
    endpoint.dispatcher = this.#dispatcher = new Dispatcher(endpoint, this);
    endpoint.reader = this.#dispatcher.reader;
    endpoint.sender = this.#sender = new Sender(endpoint, this, introduced);
    this.#receiver = new Receiver(endpoint, this.#dispatcher);
    // Where Node itself clones it, it would silently be `{}`.
    markAsUncloneable?.(this);
    endpoint.open(end);
  }

  /** @returns {Endpoint} */
  static endpointOf(port) {
    return port.#endpoint;
  }

  // ── Posting ────────────────────────────────────────────────────────────────────────────────────────

  postMessage(value, transfer) {
    if (arguments.length === 0) {
      const error = new TypeError('Not enough arguments to MessagePort.postMessage');
      error.code = 'ERR_MISSING_ARGS';
      throw error;
    }
    return this.#sender.postMessage(value, transfer);
  }

  trySend(value, transfer) {
    return this.#sender.trySend(value, transfer);
  }

  send(value, transfer) {
    return this.#sender.send(value, transfer);
  }

  get backlog() {
    const endpoint = this.#endpoint;
    return endpoint.isOpen ? binding.portBacklog(endpoint.handle) : 0;
  }

  // ── Receiving by hand ──────────────────────────────────────────────────────────────────────────────

  receive(options) {
    return this.#receiver.receive(options);
  }

  receiveSync(timeout = Infinity) {
    return this.#receiver.receiveSync(timeout);
  }

  [RECEIVE]() {
    return this.#receiver.receiveMessage();
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
    if (alone && typeof listener === 'function' && listenerCount.call(this, type) === 1) this.#dispatcher.only = listener;
    return this;
  }

  removeAllListeners(...types) {
    this.#dispatcher.only = undefined;
    return super.removeAllListeners(...types);
  }

  /** As in Node's ports, the first listener starts the port and holds the loop. */
  [NEW_LISTENER](size, type, ...rest) {
    if (type === 'message') {
      this.#dispatcher.only = undefined;
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
      this.#dispatcher.only = undefined;
      if (size === 0) {
        this.#dispatcher.stop();
        this.unref();
      }
    }
    return super[REMOVE_LISTENER](size, type, ...rest);
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────────

  start() {
    this.#dispatcher.start();
  }

  close(callback) {
    if (typeof callback === 'function') this.once('close', callback);
    if (!this.#endpoint.isOpen) return;
    this.#dispatcher.closing();
    this.#endpoint.end();
  }

  ref() {
    this.#endpoint.ref();
  }

  unref() {
    this.#endpoint.unref();
  }

  hasRef() {
    return this.#endpoint.isReferenced;
  }

  [inspect.custom](depth, options, inspectValue) {
    if (this === Port.prototype) return this;
    if (depth < 0) return TOO_DEEP;
    return lineOf(this, Port.#stateOf, options, inspectValue);
  }

  /** `active` and `refed` as Node's ports show them; hooks may look at a port that is not made yet. */
  static #stateOf(port) {
    if (!(#receiver in port)) return { active: true, refed: false };
    const { isOpen, isReferenced, options, reader } = port.#endpoint;
    if (!isOpen) return { active: false };
    const { capacity } = options;
    const [waiting, backlog] = [reader.waiting, port.backlog];
    return { active: true, refed: isReferenced, waiting, backlog, capacity: capacity === 0 ? undefined : capacity };
  }
}

/** Of every port. Derived by `class`, so that V8 knows how large its objects will be. */
class Made extends Port {}

const MessagePort = publicFace(Made);

const { endpointOf } = Port;

/** A port of this thread. Its parameters are those of the constructor. */
const createPort = (end, options, introduced = 0) => new Made(end, options, introduced);

module.exports = { MessagePort, Port, createPort, endpointOf };
