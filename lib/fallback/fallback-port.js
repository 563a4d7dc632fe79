'use strict';

/**
 * The native fallback: a port of Node's beside a queue of ours, for values that only Node can carry.
 *
 * V8 clones more than any codec outside it can: Blobs, keys, file handles, streams, WebAssembly modules; and only Node
 * moves what is transferred. Such a message is posted here first, and then an entry in the Rust queue holds its place. The
 * reader of the queue takes the next message of this port when it comes to that entry. So there is one order for all
 * messages, whichever way they go, and Node refuses values that cannot be cloned with its own errors.
 *
 * The port is never started, since a listener would take messages out of their order, and it never holds the event loop.
 * Node's methods are called as they were when this file was loaded.
 */

const { MessageChannel: NodeMessageChannel, MessagePort: NodeMessagePort, receiveMessageOnPort } =
  require('../runtime/worker-threads');

const { closedPort } = require('../runtime/closed-port');
const { addEventListener, isOpen, post, refusalOfList, removeEventListener } = require('../runtime/node-ports');

const { close } = NodeMessagePort.prototype;

class FallbackPort {
  /** Node's port: what goes on Node's transfer list when this end moves to another thread. */
  nodePort;
  #onClose;

  constructor(nodePort) {
    this.nodePort = nodePort;
  }

  /** The two ends of a new channel of Node's. */
  static pair() {
    const { port1, port2 } = new NodeMessageChannel();
    return [new FallbackPort(port1), new FallbackPort(port2)];
  }

  /** Takes what is posted where nobody can get at it: it is cloned, detached or refused as by any port, and dropped. */
  static closed() {
    return (closed ??= new FallbackPort(closedPort()));
  }

  /** Posts; false when nobody will get it. */
  post(value, transfer) {
    return post(this.nodePort, value, transfer);
  }

  /**
   * The next message, as `{ message }`; undefined when there is none.
   *
   * @throws what Node throws at a message that cannot be read here; it is taken all the same
   */
  receive() {
    // Node 20 crashes when it is asked for a message of a port that has closed.
    return this.isOpen ? receiveMessageOnPort(this.nodePort) : undefined;
  }

  /** Whether it can be asked for a message. */
  get isOpen() {
    return isOpen(this.nodePort);
  }

  /** Whether it closes or has closed: then it cannot be moved. */
  get isClosing() {
    return refusalOfList([this.nodePort]) !== undefined;
  }

  /** Calls `action`, and nothing that was given before, when it closes; undefined: nothing. */
  whenClosed(action) {
    if (this.#onClose !== undefined) removeEventListener.call(this.nodePort, 'close', this.#onClose);
    this.#onClose = action;
    if (action !== undefined) addEventListener.call(this.nodePort, 'close', action, { once: true });
  }

  close() {
    close.call(this.nodePort);
  }
}

let closed;

module.exports = { FallbackPort };
