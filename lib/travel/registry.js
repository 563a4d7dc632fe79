'use strict';

/**
 * The classes whose objects cross in Node's own messages, and how.
 *
 * A class says it with one property of its prototype, so that asking an object costs one look-up. The table that the
 * receiving side reads hangs on the binding: under Jest this file is loaded again for every test file while the
 * binding, and the ports on which messages arrive, stay. What the newest copy registered wins, while its realm lives.
 */

const { keptOn } = require('../host');
const { binding } = require('../native');

/** On the prototype of a class that travels: its kind. */
const KIND = Symbol.for('rust-workers.kind');
const STATE = Symbol.for('rust-workers.travel');

/**
 * @typedef {object} Kind
 * @property {string} brand the name of the class in messages: the same in every thread
 * @property {(object: object) => unknown} pack what structured clone is to carry instead of the object; throws when
 *   the object cannot travel now
 * @property {(record: any) => object} unpack makes an object here of what `pack` gave there
 * @property {boolean} [moves] whether the object must be in the transfer list, and is gone here afterwards. Default
 *   false: it is there on both sides
 * @property {(object: object) => boolean} [gone] whether one that moves has left before, or has ended
 * @property {(record: any) => object[]} [transferables] what of a record goes on Node's transfer list in the object's
 *   place
 * @property {(object: object, record: any) => void} [moved] after the message has left
 * @property {(object: object, record: any) => void} [kept] when the message could not leave: undoes `pack`
 */

/** What all copies know. A kind belongs to the realm of its class, and is kept by its class: so not by this. */
function makeState() {
  const kinds = new Map();
  return {
    awake: false,
    keep: (brand, kind) => kinds.set(brand, new WeakRef(kind)),
    find: (brand) => kinds.get(brand)?.deref(),
  };
}

let state;
/** Asked late: the host's copy may be loading. */
const shared = () => (state ??= keptOn(binding, STATE, module, (host) => host.makeState()));

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
  Object.defineProperty(Class.prototype, KIND, { value: kind, configurable: true });
  own.set(brand, kind);
  shared().keep(brand, kind);
}

/** From now on messages of this environment are searched: there is an object that travels. */
function wake() {
  shared().awake = true;
}

/** Whether there ever was an object that travels in this environment. */
function isAwake() {
  return shared().awake;
}

/** The kind of an object; undefined for what does not travel. */
function kindOf(object) {
  return object[KIND];
}

/** The kind with this brand, or undefined. */
function kindOfBrand(brand) {
  const newest = () => shared().find(brand) ?? own.get(brand);
  if (newest() === undefined) require('./kinds');
  return newest();
}

module.exports = { makeState, register, wake, isAwake, kindOf, kindOfBrand };
