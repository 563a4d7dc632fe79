'use strict';

/** Giving ArrayBuffers and ports away: what `transfer` names is detached here and belongs to the task. */

const { types } = require('node:util');

const { bufferOf, isDetached, isView } = require('./codec/bytes');
const { append, mapForEach, setForEach } = require('./runtime/intrinsics');
const { InvalidArgTypeError, InvalidArgValueError } = require('./errors');
const nodeGlobals = require('./runtime/globals');
const { kindOf } = require('./transfer/registry');

/** Whether this is a port of ours. */
function isPort(object) {
  return typeof object === 'object' && object !== null && kindOf(object)?.toTask !== undefined;
}

/**
 * Checks a transfer list.
 *
 * @param {unknown[]} list each object may stand here once
 * @param {boolean} isNative whether the task is native: it takes ArrayBuffers and ports of ours only
 * @returns {Set<object>} the objects
 */
function validateTransfer(list, isNative) {
  list.forEach((object, index) => {
    const name = `options.transfer[${index}]`;
    if (isPort(object)) return;
    if (isNative && !types.isArrayBuffer(object)) {
      throw new InvalidArgTypeError(
        `The "${name}" argument must be an ArrayBuffer (for a view: view.buffer) or a MessagePort`,
      );
    }
    if (typeof object !== 'object' || object === null) {
      throw new InvalidArgTypeError(`The "${name}" argument must be an object that can be transferred`);
    }
    if (types.isArrayBuffer(object) && isDetached(object)) throw new InvalidArgValueError(`The "${name}" argument is already detached`);
  });
  const objects = new Set(list);
  if (objects.size !== list.length) {
    throw new InvalidArgValueError('The "options.transfer" argument must name each object once');
  }
  return objects;
}

/**
 * Takes out of `list` what is in a value, at any depth of arrays, plain objects, Maps and Sets. Getters are not called:
 * they will be when the value is read.
 *
 * @param {unknown} root
 * @param {Set<object>} list
 * @returns {object[]}
 */
function listedIn(root, list) {
  const found = [];
  const seen = new Set();
  const open = [root];
  const put = (value) => append(open, value);
  while (open.length > 0 && list.size > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const object = isView(value) ? bufferOf(value) : value;
    if (list.delete(object)) append(found, object);
    else if (types.isMap(value)) mapForEach.call(value, (item, key) => [key, item].forEach(put));
    else if (types.isSet(value)) setForEach.call(value, put);
    else if (object === value && !types.isProxy(value)) {
      for (const { value: item } of Object.values(Object.getOwnPropertyDescriptors(value))) append(open, item);
    }
  }
  return found;
}

/** The buffers of one call that are given away, and what they became. */
class Transfer {
  /** The buffers, and the ports that have not been taken. */
  #buffers;
  /** buffer -> the ArrayBuffer that has its memory now, once moved. */
  #moved = new Map();
  #pinned = new Set();

  /** @param {(ArrayBuffer | MessagePort)[]} buffers each may stand here once, and must not be detached */
  constructor(buffers) {
    this.#buffers = validateTransfer(buffers, true);
  }

  /** Whether this buffer is given away. */
  has(buffer) {
    return this.#buffers.has(buffer);
  }

  /**
   * A place in a buffer that is given away, as a `Uint8Array` over the buffer it has moved to.
   *
   * @returns {{ view: Uint8Array, alone: boolean }} `alone` the first time a buffer is asked for: two users of one
   *   buffer must not both have it to themselves
   */
  take({ buffer, byteOffset, byteLength }) {
    const moved = this.#move(buffer);
    if (moved === undefined) {
      throw nodeGlobals.dataCloneError('An ArrayBuffer is detached and could not be cloned.');
    }
    const alone = !this.#pinned.has(moved);
    this.#pinned.add(moved);
    return { view: new Uint8Array(moved, byteOffset, byteLength), alone };
  }

  /** Takes a port that is given away; throws when it has gone before. */
  takePort(port) {
    const taken = kindOf(port).toTask(port);
    this.#buffers.delete(port);
    return taken;
  }

  /** Detaches what is given away and was not part of the value, as structured clone does. */
  finish() {
    for (const object of this.#buffers) {
      // A port that is given to nobody closes.
      if (isPort(object)) object.close();
      else this.#move(object);
    }
  }

  /** All at once, so that either every buffer goes or none. One that a getter of the value has given away is gone. */
  #move(buffer) {
    if (this.#moved.size === 0) {
      const buffers = [...this.#buffers].filter((object) => types.isArrayBuffer(object) && !isDetached(object));
      // Not `buffer.transfer()`: that would also take what Node marks as untransferable, such as its Buffer pool.
      const moved = nodeGlobals.structuredClone(buffers, { transfer: buffers });
      for (let i = 0; i < buffers.length; i++) this.#moved.set(buffers[i], moved[i]);
    }
    return this.#moved.get(buffer);
  }
}

module.exports = { Transfer, listedIn, validateTransfer };
