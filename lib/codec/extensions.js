'use strict';

// Objects of ours (SharedBuffer, ports, locks) and SharedArrayBuffers cross as extensions: a tag of their
// own, then whatever `write` puts on the wire and `read` takes off it.

const { SafeMap } = require('../runtime/intrinsics');
const { FIRST_EXTENSION, LAST_EXTENSION } = require('../constants').TAGS;

/**
 * @typedef {object} Extension
 * @property {number} tag a wire tag (`TAGS` of lib/constants.js): SHARED, PORT, or another of 0xa0…0xaf
 * @property {(value: object) => boolean} test is this object one of yours; must have no side effect
 * @property {(value: object, writer: import('./writer').Writer) => void} write may use `writer.u32`, `.f64`,
 *   `.string`, `.part` and `.any`, or `writer.refuse(value)`
 * @property {(reader: import('./reader').Reader) => object} read takes what `write` put
 */

/** The extensions of one codec. */
class Extensions {
  #byTag = new SafeMap();
  /** @type {Extension[]} A field, as all of the codec's: it is made late, perhaps under a changed Object.prototype. */
  list = [];

  /** @param {Extension} extension */
  add(extension) {
    const { tag, test, write, read } = extension;
    if (!(tag >= FIRST_EXTENSION && tag <= LAST_EXTENSION) || this.#byTag.has(tag)) {
      throw new RangeError(`extension tag ${tag} is taken or outside ${FIRST_EXTENSION}…${LAST_EXTENSION}`);
    }
    if (typeof test !== 'function' || typeof write !== 'function' || typeof read !== 'function') {
      throw new TypeError('an extension needs the functions test, write and read');
    }
    const entry = { tag, test, write, read };
    this.#byTag.set(tag, entry);
    this.list.push(entry);
  }

  /** The extension that takes this object, or null. */
  find(value) {
    const list = this.list;
    for (let i = 0; i < list.length; i++) if (list[i].test(value)) return list[i];
    return null;
  }

  /** The extension with this tag, or undefined. */
  byTag(tag) {
    return this.#byTag.get(tag);
  }
}

module.exports = { Extensions };
