'use strict';

/**
 * The classes whose objects cross in Node's own messages, and how.
 *
 * A class says it with one property of its prototype, so that asking an object costs one look-up. The table that the
 * receiving side reads hangs on the binding: under Jest this file is loaded again for every test file while the
 * binding, and the ports on which messages arrive, stay. What the newest copy registered wins, while its
 * realm lives.
 *
 * Two copies of the package with a binary each have a table each, and nothing in common that an object could stand for:
 * to the other copy, an object is there to be refused.
 */

const { types } = require('node:util');

const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');
const { IMAGE } = require('./seal');
const { shared } = require('./thread-state');

/** On the prototype of a class that travels: its kind. */
const KIND = Symbol.for('rust-workers.kind');
const STATE = Symbol.for('rust-workers.travel');

const isInstance = Function.prototype[Symbol.hasInstance];

/**
 * @typedef {object} Kind
 * @property {string} brand the name of the class in messages: the same in every thread
 * @property {(object: object) => unknown} pack what structured clone is to carry instead of the object; throws when
 *   the object cannot travel now
 * @property {(record: any) => object} unpack makes an object here of what `pack` gave there; throws at whatever else
 * @property {(object: object) => boolean} [is] whether it is one, and does not merely inherit from one
 * @property {(object: object) => object} [memory] of one that stands for shared memory: its SharedArrayBuffer, or the typed
 *   array over one
 * @property {boolean} [moves] whether the object must be in the transfer list, and is gone here afterwards. Default
 *   false: it is there on both sides
 * @property {(object: object) => boolean} [gone] whether one that moves has left before, or has ended
 * @property {(record: any) => object[]} [transferables] of one that moves: what goes on Node's transfer list in the
 *   object's place
 * @property {(object: object, record: any) => void} [moved] after the message has left
 * @property {(object: object, record: any) => void} [kept] when the message could not leave: undoes `pack`
 */

/** What all copies of one binary know. A kind belongs to the realm of its class, and is kept by its class: so not by this. */
function makeTable() {
  const kinds = new Map();
  return {
    keep: (brand, kind) => kinds.set(brand, new WeakRef(kind)),
    find: (brand) => kinds.get(brand)?.deref(),
  };
}

let table;
/** Asked late: the host's copy may be loading. */
const kinds = () => (table ??= keptOn(binding, STATE, module, (host) => host.makeTable()));

/** What this copy registered itself. */
const own = new Map();

/**
 * Lets the objects of a class travel.
 *
 * @param {Function} Class its constructor must call `wake()`, before anybody can send the object
 * @param {Kind} kind
 */
function register(Class, kind) {
  const { brand, pack, unpack } = kind;
  if (typeof brand !== 'string' || typeof pack !== 'function' || typeof unpack !== 'function') {
    throw new TypeError('a kind needs a brand and the functions pack and unpack');
  }
  const known = { ...kind, image: IMAGE };
  shared.kinds.add(known);
  Object.defineProperty(Class.prototype, KIND, { __proto__: null, value: known, configurable: true });
  recognise(Class, brand);
  own.set(brand, known);
  kinds().keep(brand, known);
}

/**
 * Makes `instanceof` true for the objects of every copy of the package on this binary: a message is read by the copy that
 * was loaded last. A subclass asks in the language's way.
 *
 * @param {Function} Class as programs know it
 * @param {string} brand
 */
function recognise(Class, brand) {
  const value = function (object) {
    if (isInstance.call(this, object)) return true;
    if (this !== Class || typeof object !== 'object' || object === null || types.isProxy(object)) return false;
    const kind = kindOf(object);
    return kind !== undefined && kind.brand === brand && kind.isForeign !== true;
  };
  Object.defineProperty(Class, Symbol.hasInstance, { __proto__: null, value, configurable: true });
}

/** From now on messages of this thread are searched: there is an object that travels. */
function wake() {
  shared.awake = true;
}

/** Whether there ever was an object that travels in this thread. */
function isAwake() {
  return shared.awake;
}

/** What stands for the kind of an object that another binary's copy of the package made. */
function foreign({ brand, image }) {
  const pack = () => {
    const { OtherCopyError } = require('../errors');
    throw new OtherCopyError(
      `this ${brand} was made by another copy of rust-workers, with a binary of its own: ` +
        'let both use one (npm dedupe, or RUST_WORKERS_BINARY for both)',
    );
  };
  return { brand, image, isForeign: true, pack };
}

/**
 * The kind of an object; undefined for what does not travel.
 *
 * @param {object} object no Proxy, which would see that it is asked
 * @returns {Kind | undefined}
 */
function kindOf(object) {
  const kind = object[KIND];
  return kind === undefined ? undefined : checked(kind, object);
}

function checked(kind, object) {
  if (!shared.kinds.has(kind) || kind.is?.(object) === false) return undefined;
  return kind.image === IMAGE ? kind : foreign(kind);
}

/**
 * The shared memory that an object of ours stands for, whichever copy of the package on this binary made it: its
 * SharedArrayBuffer, or the typed array over one. Undefined for what stands for none.
 *
 * @param {unknown} value
 * @throws {OtherCopyError} for one of another binary's
 */
function memoryOf(value) {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return undefined;
  const kind = kindOf(value);
  return kind?.isForeign ? kind.pack(value) : kind?.memory?.(value);
}

/** The kind with this brand, or undefined. */
function kindOfBrand(brand) {
  const newest = () => kinds().find(brand) ?? own.get(brand);
  if (newest() === undefined) require('./types');
  return newest();
}

module.exports = { makeTable, register, wake, isAwake, kindOf, kindOfBrand, memoryOf, recognise };
