'use strict';

/**
 * The transferable types: the classes of ours whose objects can be in Node's own messages, and how.
 *
 * A class says it with one property of its prototype, so that asking an object costs one look-up. The table that the
 * receiving side reads hangs on the binding: under Jest this file is loaded again for every test file while the
 * binding, and the ports on which messages arrive, stay. The newest copy's types are used, while its
 * realm lives.
 *
 * Two copies of the package with an addon each have a table each, and nothing in common that an object could stand for:
 * the other copy can only refuse the object.
 */

const { types } = require('node:util');

const { binding } = require('../native');
const { keptOn } = require('../runtime/host-realm');
const { IMAGE } = require('./seal');
const { shared } = require('./thread-state');
const { loadTypes } = require('./type-loader');

/** Where a class says it. */
const TRANSFER_TYPE = Symbol.for('rust-workers.transfer-type');
const TABLE = Symbol.for('rust-workers.transfer-types');

const isInstance = Function.prototype[Symbol.hasInstance];

/**
 * @typedef {object} TransferType
 * @property {string} typeTag the name of the class in messages: the same in every thread
 * @property {(object: object) => unknown} serialize what structured clone is to carry in the object's place; throws when
 *   the object cannot be sent now
 * @property {(content: any) => object} deserialize makes an object here of the result of `serialize` there; throws for
 *   everything else
 * @property {(object: object) => boolean} [is] whether it is one, and does not merely inherit from one
 * @property {(object: object) => object} [memory] of one that stands for shared memory: its SharedArrayBuffer, or the typed
 *   array over one
 * @property {boolean} [byNode] whether ports of ours leave the object to Node each time, and do not keep its memory for
 *   messages to come. Default false
 * @property {boolean} [moves] whether the object must be in the transfer list, and is gone here afterwards. Default
 *   false: it is there on both sides
 * @property {(object: object) => boolean} [isDetached] whether one that moves has left before, or has ended
 * @property {(content: any) => object[]} [nodeTransferables] of one that moves: what goes on Node's transfer list in the
 *   object's place
 * @property {(object: object, content: any) => void} [posted] after Node has taken the message
 * @property {(object: object, content: any) => void} [refused] after Node has refused the message: undoes `serialize`
 * @property {(object: object) => unknown} [toTask] takes the object for a native task; only ports have it
 */

/**
 * The table of all copies on one addon. A type belongs to the realm of its class, which keeps it; so this table does not.
 */
function makeTable() {
  const known = new Map();
  return {
    keep: (typeTag, type) => known.set(typeTag, new WeakRef(type)),
    find: (typeTag) => known.get(typeTag)?.deref(),
  };
}

let sharedTable;
/** Not asked for at once: the host's copy may be loading. */
const table = () => (sharedTable ??= keptOn(binding, TABLE, module, (host) => host.makeTable()));

/** The types that this copy registered. */
const own = new Map();

/**
 * Lets the objects of a class be in messages.
 *
 * @param {Function} Class its constructor must call `startSearching()`, before anybody can send the object
 * @param {TransferType} type
 */
function registerType(Class, type) {
  const { typeTag, serialize, deserialize } = type;
  if (typeof typeTag !== 'string' || typeof serialize !== 'function' || typeof deserialize !== 'function') {
    throw new TypeError('a transferable type needs a type tag and the functions serialize and deserialize');
  }
  const known = { ...type, image: IMAGE };
  shared.types.add(known);
  Object.defineProperty(Class.prototype, TRANSFER_TYPE, { __proto__: null, value: known, configurable: true });
  recognise(Class, typeTag);
  own.set(typeTag, known);
  table().keep(typeTag, known);
}

/**
 * Makes `instanceof` true for the objects of every copy of the package on this addon: a message is read by the copy that
 * was loaded last. A subclass asks in the language's way.
 *
 * @param {Function} Class as programs know it
 * @param {string} typeTag
 */
function recognise(Class, typeTag) {
  const value = function (object) {
    if (isInstance.call(this, object)) return true;
    if (this !== Class || typeof object !== 'object' || object === null || types.isProxy(object)) return false;
    const type = typeOf(object);
    return type !== undefined && type.typeTag === typeTag && type.isForeign !== true;
  };
  Object.defineProperty(Class, Symbol.hasInstance, { __proto__: null, value, configurable: true });
}

/** There is an object of a transferable type: from now on messages of this thread are searched for such objects. */
function startSearching() {
  shared.isSearching = true;
}

/** Whether there ever was an object of a transferable type in this thread. */
function isSearching() {
  return shared.isSearching;
}

/** The type of an object that another copy of the package made, with an addon of its own. It refuses the object. */
function foreign({ typeTag, image }) {
  const serialize = () => {
    // Loaded only for the error.
    throw require('./other-copy').objectOfOtherCopy(typeTag);
  };
  return { typeTag, image, isForeign: true, serialize };
}

/**
 * The transferable type of an object; undefined for an object that has none.
 *
 * @param {object} object no Proxy, which would see that it is asked
 * @returns {TransferType | undefined}
 */
function typeOf(object) {
  const type = object[TRANSFER_TYPE];
  return type === undefined ? undefined : checked(type, object);
}

function checked(type, object) {
  if (!shared.types.has(type) || type.is?.(object) === false) return undefined;
  return type.image === IMAGE ? type : foreign(type);
}

/** Whether this is a port of ours, of whichever copy: only these can be inputs of native tasks. No Proxy. */
function isPort(object) {
  return typeof object === 'object' && object !== null && typeOf(object)?.toTask !== undefined;
}

/**
 * The shared memory that an object of ours stands for, whichever copy of the package on this addon made it: its
 * SharedArrayBuffer, or the typed array over one. Undefined for what stands for none.
 *
 * @param {unknown} value
 * @throws {OtherCopyError} for one of another addon's
 */
function memoryOf(value) {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return undefined;
  const type = typeOf(value);
  return type?.isForeign ? type.serialize(value) : type?.memory?.(value);
}

/** The result of `find`; if it finds nothing, all types are loaded and it is called again. */
function loaded(find) {
  const found = find();
  if (found !== undefined) return found;
  loadTypes();
  return find();
}

/** The type with this tag, of the newest copy; undefined when there is none. */
const typeByTag = (typeTag) => loaded(() => table().find(typeTag) ?? own.get(typeTag));

/** The type with this tag that this very copy registered; undefined when there is none. */
const ownTypeByTag = (typeTag) => loaded(() => own.get(typeTag));

module.exports = {
  isPort, isSearching, makeTable, memoryOf, ownTypeByTag, recognise, registerType, startSearching, typeByTag, typeOf,
};
