'use strict';

/**
 * The `transfer` option of tasks: the ArrayBuffers and ports that it names are detached here and belong to the task.
 */

const { types } = require('node:util');

const { isDetached } = require('../codec/bytes');
const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');
const nodeGlobals = require('../runtime/globals');
const { describe } = require('../validators');
const { isPort, typeOf } = require('./registry');

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
        `The "${name}" argument must be an ArrayBuffer (for a view: view.buffer) or a MessagePort. Received ${describe(object)}`,
      );
    }
    if (typeof object !== 'object' || object === null || ArrayBuffer.isView(object)) {
      throw new InvalidArgTypeError(
        `The "${name}" argument must be an object that can be transferred (for a view: view.buffer). Received ${describe(object)}`,
      );
    }
    if (types.isArrayBuffer(object) && isDetached(object)) {
      throw new InvalidArgValueError(
        `The "${name}" argument is already detached. Its memory was given away before: transfer it once, or pass a copy`,
      );
    }
  });
  const objects = new Set(list);
  if (objects.size !== list.length) {
    throw new InvalidArgValueError('The "options.transfer" argument must name each object once');
  }
  return objects;
}

/** The objects that one call transfers to a native task, and their state. */
class TaskTransfer {
  /** The buffers, and the ports that have not been taken. */
  #buffers;
  /** buffer -> the ArrayBuffer that has its memory now, once moved. */
  #moved = new Map();
  #pinned = new Set();

  /** @param {(ArrayBuffer | MessagePort)[]} buffers each may stand here once, and must not be detached */
  constructor(buffers) {
    this.#buffers = validateTransfer(buffers, true);
  }

  /** Whether this buffer is transferred. */
  has(buffer) {
    return this.#buffers.has(buffer);
  }

  /**
   * A range of a buffer that is transferred, as a `Uint8Array` over the buffer it has moved to.
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

  /** Takes a port that is transferred; throws if the port has left before. */
  takePort(port) {
    const taken = typeOf(port).toTask(port);
    this.#buffers.delete(port);
    return taken;
  }

  /** Detaches the objects on the list that were not part of the value, as structured clone does. */
  finish() {
    for (const object of this.#buffers) {
      // A port that no task gets closes.
      if (isPort(object)) object.close();
      else this.#move(object);
    }
  }

  /** All at once, so that either every buffer goes or none. A buffer that a getter of the value has transferred is gone. */
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

module.exports = { TaskTransfer, validateTransfer };
