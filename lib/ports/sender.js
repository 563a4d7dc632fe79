'use strict';

/**
 * Posts the messages of a port: values that the codec can carry through Rust's queue, the others by the fallback port.
 *
 * Getters run while a value is posted: they may post, close and move this very port.
 */

const { types } = require('node:util');

const { added } = require('../runtime/intrinsics');
const { FallbackPort } = require('../fallback/fallback-port');
const { POSTED } = require('../constants');
const { binding } = require('../native');
const { dataCloneError } = require('../runtime/globals');
const { listOf } = require('../transfer/transfer-list');
const { encode, takeLeft } = require('./codec');
const { fallbackOf } = require('./fallback');
const { LOST, postViaFallback, postNowhere, refuseList } = require('./fallback-post');
const { ports } = require('./open-ports');
const { outOfBand } = require('./out-of-band');
const { receiveBuffer } = require('./receive-buffer');
const { Introductions } = require('./shared-memory');
const { closedError, movedError } = require('./receive-options');
const { validateNames } = require('../validators');

/** The results of a post; the result for a queued message is undefined. */
const { CLOSED, DETACHED, FULL, LOOPED, OVER } = POSTED;

class Sender {
  #endpoint;
  /** The port, as it may stand on a transfer list. */
  #port;
  #introductions;
  #keepBuffers;
  /** Waiting `send`s, oldest first. */
  #senders = [];

  /**
   * @param {import('./endpoint').Endpoint} endpoint
   * @param {object} port
   * @param {number} introduced how far the last owner's numbers of shared memory went
   */
  constructor(endpoint, port, introduced) {
    this.#endpoint = endpoint;
    this.#port = port;
    this.#introductions = new Introductions(introduced);
    this.#keepBuffers = endpoint.options.keepBuffers;
  }

  get hasSenders() {
    return this.#senders.length > 0;
  }

  /** How far the numbers of shared memory went. */
  get introduced() {
    return this.#introductions.next;
  }

  /** The other end keeps no shared memory. */
  stopIntroducing() {
    this.#introductions.stop();
  }

  /** Those that wait; none does from now on. */
  takeSenders() {
    return this.#senders.splice(0);
  }

  postMessage(value, transfer) {
    const open = this.#endpoint.isOpen;
    const refusal = this.#post(value, transfer, false);
    if (ports.inRound) ports.join(this.#endpoint.peerId);
    return open ? refusal !== CLOSED : undefined;
  }

  /**
   * Posts, in whichever way carries this value.
   *
   * @param {boolean} within only if there is room
   * @returns {number | undefined} what became of it: one of POSTED, undefined for queued
   */
  #post(value, transfer, within) {
    const endpoint = this.#endpoint;
    const open = endpoint.isOpen;
    // Before the value is read, which is once. Only this thread posts through this port, so room that is there stays.
    if (within && open) {
      const refusal = binding.wantPortRoom(endpoint.handle);
      if (refusal !== 0) return refusal;
    }
    if (transfer === undefined || transfer === null || (Array.isArray(transfer) && transfer.length === 0)) {
      const written = encode(value, this.#introductions, this.#keepBuffers);
      if (written !== null) {
        // Closed by a getter, it posts this one yet.
        if (!open || !endpoint.isReceiving) return this.#whyNot();
        const { bytes, length, parts } = written;
        if (parts.length > 0) return binding.postToPortWith(endpoint.handle, bytes, length, outOfBand(parts));
        if (bytes !== receiveBuffer.writeBuffer) {
          binding.setWriteBuffer(bytes);
          receiveBuffer.writeBuffer = bytes;
        }
        return binding.postToPort(endpoint.handle, length);
      }
      // As it was read, where getters have run.
      value = takeLeft();
    }
    if (!open || !endpoint.isReceiving) {
      postNowhere(value, transfer, this.#port);
      return this.#whyNot();
    }
    return this.#postViaFallback(value, transfer);
  }

  #whyNot() {
    return this.#endpoint.hasMoved ? DETACHED : CLOSED;
  }

  #postViaFallback(value, transfer) {
    const endpoint = this.#endpoint;
    const fallback = fallbackOf(endpoint);
    if (fallback === undefined) return this.#postWithoutFallback(value, transfer);
    const shared = this.#introductions.introduce();
    const sent = postViaFallback(fallback, value, transfer, shared, this.#port);
    // No place is to be held for what nobody can get.
    if (sent === LOST || !endpoint.isReceiving) return this.#whyNot();
    if (shared !== undefined) this.#introductions.confirm(shared);
    return binding.postPlaceholderToPort(endpoint.handle, sent);
  }

  /**
   * The other end is a native task, or its thread is ending: values that Rust can carry go there, transferred memory as a
   * copy; the rest is refused for a task, and else lost as with any port that is about to close.
   */
  #postWithoutFallback(value, transfer) {
    const endpoint = this.#endpoint;
    this.#introductions.forget();
    const buffers = listOf(transfer) ?? refuseList(transfer);
    const written = encode(value, this.#introductions, this.#keepBuffers);
    if (written === null || !buffers.every(types.isArrayBuffer)) {
      if (written === null) value = takeLeft();
      if (!endpoint.withTask) {
        postNowhere(value, buffers, this.#port);
        return this.#whyNot();
      }
      throw dataCloneError('The other end of this channel is a native task, which takes plain values and bytes only');
    }
    if (!endpoint.isReceiving) return this.#whyNot();
    const { bytes, length, parts } = written;
    const together = parts.length > 0 ? outOfBand(parts, buffers.length > 0) : undefined;
    if (buffers.length > 0) FallbackPort.closed().post(undefined, buffers);
    return binding.postToPortWith(endpoint.handle, bytes, length, together);
  }

  trySend(value, transfer) {
    if (this.#senders.length > 0) return false;
    refuseOptions(transfer);
    const refusal = this.#post(value, transfer, true);
    // OVER: a getter of the value has filled the last place.
    return refusal === undefined || refusal === OVER;
  }

  send(value, transfer) {
    return new Promise((resolve, reject) => {
      refuseOptions(transfer);
      const sender = { value, transfer, resolve, reject };
      if (this.#senders.length > 0 || !this.#trySender(sender)) this.#senders = added(this.#senders, sender);
      this.#endpoint.updateHold();
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

  /** There is room at the other end, or the other end is gone. */
  room() {
    while (this.#senders.length > 0 && this.#trySender(this.#senders[0])) this.#senders.shift();
    this.#endpoint.updateHold();
  }
}

const SEND = new Set(['transfer']);

/** Node passes over names that it does not know, but `send` and `trySend` are ours: nobody may think that they have a `timeout`. */
function refuseOptions(transfer) {
  if (typeof transfer !== 'object' || transfer === null || Array.isArray(transfer)) return;
  if (typeof transfer[Symbol.iterator] !== 'function') validateNames(transfer, 'options', SEND);
}

module.exports = { Sender };
