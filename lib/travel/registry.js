'use strict';

/**
 * The classes whose objects cross in Node's own messages, and how.
 *
 * A class says it with one property of its prototype, so that asking an object costs one look-up. The table that the
 * receiving side reads hangs on the binding: under Jest this file is loaded again for every test file while the
 * binding, and the ports on which messages arrive, stay. What the newest copy registered wins.
 */

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

function state() {
  if (binding[STATE] === undefined) {
    Object.defineProperty(binding, STATE, { value: { kinds: new Map(), awake: false } });
  }
  return binding[STATE];
}

const shared = state();

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
  shared.kinds.set(brand, kind);
}

/** From now on messages of this environment are searched: there is an object that travels. */
function wake() {
  shared.awake = true;
}

/** Whether there ever was an object that travels in this environment. */
function isAwake() {
  return shared.awake;
}

/** The kind of an object; undefined for what does not travel. */
function kindOf(object) {
  return object[KIND];
}

/** The kind with this brand, or undefined. */
function kindOfBrand(brand) {
  if (!shared.kinds.has(brand)) require('./kinds');
  return shared.kinds.get(brand);
}

module.exports = { register, wake, isAwake, kindOf, kindOfBrand };
