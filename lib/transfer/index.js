'use strict';

/**
 * Objects of ours in Node's own messages: `worker.postMessage`, `parentPort.postMessage`, `workerData`.
 *
 * Structured clone takes a class instance apart, so an object of ours is replaced by a record (README.md tells the
 * form of the message). Two things keep plain messages as they are: a message is searched only in an environment that
 * ever had an object that travels, and it is changed only when it holds one; the receiving side looks at one property.
 */

const { types } = require('node:util');

const { append } = require('../runtime/intrinsics');
const { IMAGE, seal, unseal } = require('./seal');
const { isAwake, kindOf, kindOfBrand, register, wake } = require('./registry');
const { isLeaf, needsCare } = require('./search');
const { listOf } = require('./transfer-list');

// Loaded when the first object travels.
const late = (load) => {
  let loaded;
  return () => (loaded ??= load());
};
const copying = late(() => require('./copy'));
const refusals = late(() => require('./refusals'));
const errors = late(() => require('../errors'));

/** The kind of an object in a transfer list that moves. */
function movingKind(object) {
  if (isLeaf(object) || types.isProxy(object)) return undefined;
  const kind = kindOf(object);
  return kind?.moves ? kind : undefined;
}

/** A message on its way: what to hand to Node, and what to do once Node has taken or refused it. */
class Departure {
  transferList;
  bundle;
  #records = new Map();
  #packed = [];
  #unlisted = [];

  /**
   * @param {unknown} value
   * @param {object[]} list the transfer list
   * @param {boolean} isSearched whether there is something in the value
   * @param {{ has(image: number): boolean }} [others] whose objects are left alone: they are looked after on this way
   */
  constructor(value, list, isSearched, others) {
    const listed = new Set(list);
    const moving = this.#onList(list, listed, others);
    let leftAlone;
    const recordOf = (object, kind, isTurn) => {
      if (kind.isForeign && others?.has(kind.image)) return (leftAlone = object);
      if (kind.moves && !listed.has(object)) return this.#refuse(kind.gone?.(object) === true, isTurn);
      return this.#recordOf(object, kind);
    };
    this.transferList = list.filter((object) => movingKind(object) === undefined);
    const checkList = () => refusals().checkList(this.transferList);
    const copy = isSearched ? new (copying().Copying)(recordOf, listed).of(value, checkList) : value;
    for (const object of moving) this.#recordOf(object, kindOf(object));
    if (leftAlone !== undefined && this.#records.size > 0) kindOf(leftAlone).pack();

    try {
      // From here no code of users runs until Node reads the copy, in which there are no getters.
      for (const [object, record] of this.#records) this.#pack(object, record);
    } catch (error) {
      this.kept();
      throw error;
    }
    this.bundle = { value: copy, records: [...this.#records.values()] };
  }

  /** What moves and is on the list, once Node's checks of its own ports are done. */
  #onList(list, listed, others) {
    const moving = new Set();
    for (const object of list) {
      if (isLeaf(object) || types.isProxy(object)) continue;
      const kind = kindOf(object);
      if (kind?.isForeign && !others?.has(kind.image)) kind.pack();
      if (!kind?.moves) continue;
      if (refusals().isMarkedAsUntransferable(object)) {
        // An error, or as if it were not on the list, as Node has it.
        const error = refusals().untransferable();
        if (error !== undefined) throw error;
        listed.delete(object);
        continue;
      }
      if (moving.has(object)) throw refusals().duplicate();
      // What has left before says so itself.
      if (kind.gone?.(object)) kind.pack(object);
      moving.add(object);
    }
    return moving;
  }

  /** An object that had to be on the list: now, if this is its turn, else when Node comes to it. */
  #refuse(isGone, isTurn) {
    if (isTurn) throw refusals().notListed(isGone);
    const { port, close } = refusals().unlisted(isGone);
    append(this.#unlisted, close);
    return port;
  }

  #recordOf(object, { brand }) {
    let record = this.#records.get(object);
    if (record === undefined) this.#records.set(object, (record = { brand, content: undefined }));
    return record;
  }

  #pack(object, record) {
    const kind = kindOf(object);
    record.content = kind.pack(object);
    append(this.#packed, { object, kind, content: record.content });
    if (kind.moves && kind.transferables) for (const port of kind.transferables(record.content)) append(this.transferList, port);
  }

  /** Whether nothing in it needs anybody to open it. */
  get isPlain() {
    return this.#records.size === 0;
  }

  #tell(what) {
    for (const { object, kind, content } of this.#packed) kind[what]?.(object, content);
  }

  /** Tells the objects that the message has left. */
  moved() {
    this.#tell('moved');
  }

  /** Tells the objects that it could not. */
  kept() {
    this.#tell('kept');
    for (const close of this.#unlisted) close();
  }

  /**
   * Sends: calls `post`, and tells the objects how it went.
   *
   * @param {(bundle: { value: unknown, records: object[] }, transferList: object[]) => T} post
   * @returns {T}
   * @template T
   */
  leave(post) {
    let result;
    try {
      result = post(this.bundle, this.transferList);
    } catch (error) {
      this.kept();
      throw error;
    }
    this.moved();
    return result;
  }
}

/**
 * The way out for a message that Node must not be given as it is, since it holds objects of ours, or something that can
 * be read but once; undefined for every other message, which Node is to take as it is, with whatever Node has to say.
 *
 * @param {unknown} value
 * @param {unknown} [transfer] as `postMessage` takes it
 * @param {{ has(image: number): boolean }} [others] images of this package that look after their objects on the same way
 * @returns {Departure | undefined}
 * @throws {Error} Node's DataCloneError (a TypeError on Node 20): an object that has to be transferred is not on the list
 */
function departure(value, transfer, others) {
  if (!isAwake()) return undefined;
  const list = listOf(transfer);
  if (list === undefined) return undefined;
  const isSearched = needsCare(value);
  // Of a list that was read Node gets what was read: it may be an iterator, or have getters.
  return isSearched || list.length > 0 ? new Departure(value, list, isSearched, others) : undefined;
}

function malformed(what) {
  return new (errors().MalformedValueError)(
    `a message of rust-workers was changed on its way: ${what}. Hand such messages on as they are`,
  );
}

/** The kinds of all records. */
function kindsOf(records, image) {
  if (!Array.isArray(records)) throw malformed('it has no list of records');
  return records.map((record) => {
    if (typeof record !== 'object' || record === null || typeof record.brand !== 'string') {
      throw malformed('a record is not one');
    }
    const kind = kindOfBrand(record.brand);
    if (image === IMAGE && kind !== undefined) return kind;
    throw new (errors().OtherCopyError)(
      `a message holds a ${record.brand} that was made by another copy of rust-workers, with a binary of its own: ` +
        'let both use one (npm dedupe, or RUST_WORKERS_BINARY for both)',
    );
  });
}

/** Objects of a message that cannot be read whole: what has moved here ends here. */
function discard(records, kinds, objects) {
  records.forEach((record, i) => {
    const { moves, transferables } = kinds[i];
    if (!moves) return;
    try {
      const left = objects.get(record);
      const parts = left === undefined ? transferables?.(record.content) ?? [] : [left];
      for (const part of parts) part.close?.();
    } catch {
      // The record is no better than the one that could not be read.
    }
  });
}

/** An object for each record, by record. */
function unpacked(records, image) {
  const kinds = kindsOf(records, image);
  const objects = new Map();
  try {
    records.forEach((record, i) => objects.set(record, kinds[i].unpack(record.content)));
  } catch (error) {
    discard(records, kinds, objects);
    throw error;
  }
  return objects;
}

/** Puts the objects in the places of their records. Received containers are ours to change. */
function replaceRecords(value, objects) {
  const { entriesOf, membersOf } = require('./search');
  const { put } = copying();
  const seen = new Set();
  const waiting = [];
  const visit = (child) => {
    if (isLeaf(child)) return child;
    const object = objects.get(child);
    if (object !== undefined) return object;
    if (!seen.has(child)) {
      seen.add(child);
      append(waiting, child);
    }
    return child;
  };
  const result = visit(value);
  while (waiting.length > 0) {
    const at = waiting.pop();
    if (types.isMap(at)) {
      // All anew: a key that changes would otherwise lose its place in the order.
      const entries = entriesOf(at);
      at.clear();
      for (let i = 0; i < entries.length; i += 2) at.set(visit(entries[i]), visit(entries[i + 1]));
    } else if (types.isSet(at)) {
      const members = membersOf(at);
      at.clear();
      for (const member of members) at.add(visit(member));
    } else {
      for (const key of Object.keys(at)) {
        const child = at[key];
        const object = visit(child);
        if (object !== child) put(at, key, object);
      }
      if (types.isNativeError(at) && Object.hasOwn(at, 'cause')) at.cause = visit(at.cause);
    }
  }
  return result;
}

/**
 * The message proper, with objects of this thread.
 *
 * @param {{ value: unknown, records: object[], image?: number }} bundle as it came
 * @param {(objects: Map<object, object>) => void} [tell] is given the objects of the message, by record
 * @throws when an object cannot be made here
 */
function arrive({ value, records, image = IMAGE }, tell) {
  const objects = unpacked(records, image);
  tell?.(objects);
  return objects.size === 0 ? value : replaceRecords(value, objects);
}

module.exports = { arrive, departure, register, replaceRecords, seal, unseal, wake };
