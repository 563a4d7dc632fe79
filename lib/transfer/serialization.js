'use strict';

/**
 * Objects of ours in Node's own messages: `worker.postMessage`, `parentPort.postMessage`, `workerData`.
 *
 * Structured clone takes a class instance apart, so an object of a transferable type is replaced by a record (README.md
 * describes the form of the message). Two things keep plain messages as they are: a message is searched only in an
 * environment that ever had an object of ours, and it is changed only when it holds one; the receiving side looks at one
 * property.
 */

const { types } = require('node:util');

const { append } = require('../runtime/intrinsics');
const { isSearching, typeByTag, typeOf } = require('./registry');
const { IMAGE } = require('./seal');
const { isLeaf, mustBeSerialized } = require('./search');
const { listOf } = require('./transfer-list');

// Loaded for the first message with an object of ours.
const late = (load) => {
  let loaded;
  return () => (loaded ??= load());
};
const copying = late(() => require('./copy'));
const refusals = late(() => require('../runtime/port-refusals'));
const errors = late(() => require('../errors'));

/** The type of an object in a transfer list, if it is one of ours that moves. */
function movingType(object) {
  if (isLeaf(object) || types.isProxy(object)) return undefined;
  const type = typeOf(object);
  return type?.moves ? type : undefined;
}

/** @typedef {{ value: unknown, records: { typeTag: string, content: unknown }[] }} Bundle */

/** A message on its way out: what to hand to Node, and what to do once Node has taken or refused it. */
class SerializedMessage {
  transferList;
  /** @type {Bundle} */
  bundle;
  #records = new Map();
  #serialized = [];
  #unlisted = [];

  /**
   * @param {unknown} value
   * @param {object[]} list the transfer list
   * @param {boolean} isSearched whether there is something in the value
   * @param {{ has(image: number): boolean }} [others] images of this package that serialize their own objects on this way
   */
  constructor(value, list, isSearched, others) {
    const listed = new Set(list);
    const moving = this.#onList(list, listed, others);
    let leftAlone;
    const recordOf = (object, type, isTurn) => {
      if (type.isForeign && others?.has(type.image)) return (leftAlone = object);
      if (type.moves && !listed.has(object)) return this.#refuse(type.isDetached?.(object) === true, isTurn);
      return this.#recordOf(object, type);
    };
    this.transferList = list.filter((object) => movingType(object) === undefined);
    const checkList = () => refusals().checkList(this.transferList);
    const copy = isSearched ? new (copying().Copying)(recordOf, listed).of(value, checkList) : value;
    for (const object of moving) this.#recordOf(object, typeOf(object));
    if (leftAlone !== undefined && this.#records.size > 0) typeOf(leftAlone).serialize();

    try {
      // From here no code of users runs until Node reads the copy, in which there are no getters.
      for (const [object, record] of this.#records) this.#serialize(object, record);
    } catch (error) {
      this.refused();
      throw error;
    }
    this.bundle = { value: copy, records: [...this.#records.values()] };
  }

  /** The objects of ours on the list that move; checked as Node checks its own ports. */
  #onList(list, listed, others) {
    const moving = new Set();
    for (const object of list) {
      if (isLeaf(object) || types.isProxy(object)) continue;
      const type = typeOf(object);
      if (type?.isForeign && !others?.has(type.image)) type.serialize();
      if (!type?.moves) continue;
      if (refusals().isMarkedAsUntransferable(object)) {
        // An error, or as if it were not on the list, as Node has it.
        const error = refusals().untransferable();
        if (error !== undefined) throw error;
        listed.delete(object);
        continue;
      }
      if (moving.has(object)) throw refusals().duplicate();
      // One that is detached says so itself.
      if (type.isDetached?.(object)) type.serialize(object);
      moving.add(object);
    }
    return moving;
  }

  /** Refuses an object that had to be on the list: now, if this is its turn, else when Node comes to it. */
  #refuse(isDetached, isTurn) {
    if (isTurn) throw refusals().notListed(isDetached);
    const { port, close } = refusals().unlisted(isDetached);
    append(this.#unlisted, close);
    return port;
  }

  #recordOf(object, { typeTag }) {
    let record = this.#records.get(object);
    if (record === undefined) this.#records.set(object, (record = { typeTag, content: undefined }));
    return record;
  }

  #serialize(object, record) {
    const type = typeOf(object);
    record.content = type.serialize(object);
    append(this.#serialized, { object, type, content: record.content });
    if (type.moves && type.nodeTransferables) {
      for (const port of type.nodeTransferables(record.content)) append(this.transferList, port);
    }
  }

  /** Whether it holds no object of ours, so that the value can go as it is. */
  get isPlain() {
    return this.#records.size === 0;
  }

  #tell(what) {
    for (const { object, type, content } of this.#serialized) type[what]?.(object, content);
  }

  /** Notifies the objects that Node has taken the message. */
  posted() {
    this.#tell('posted');
  }

  /** Notifies the objects that Node has refused the message. */
  refused() {
    this.#tell('refused');
    for (const close of this.#unlisted) close();
  }

  /**
   * Calls `post`, and notifies the objects of the outcome.
   *
   * @param {(bundle: Bundle, transferList: object[]) => T} post
   * @returns {T}
   * @template T
   */
  post(post) {
    let result;
    try {
      result = post(this.bundle, this.transferList);
    } catch (error) {
      this.refused();
      throw error;
    }
    this.posted();
    return result;
  }
}

/**
 * Serializes a message that Node must not get as it is, since it holds objects of ours, or an object that can be read
 * but once; undefined for every other message, which Node is to take as it is, with whatever Node has to say.
 *
 * @param {unknown} value
 * @param {unknown} [transfer] as `postMessage` takes it
 * @param {{ has(image: number): boolean }} [others] images of this package that serialize their own objects on the same way
 * @returns {SerializedMessage | undefined}
 * @throws {Error} Node's DataCloneError (a TypeError on Node 20): an object that has to be transferred is not on the list
 */
function serialize(value, transfer, others) {
  if (!isSearching()) return undefined;
  const list = listOf(transfer);
  if (list === undefined) return undefined;
  const isSearched = mustBeSerialized(value);
  // Node gets the elements that were read: the list may be an iterator, or have getters.
  return isSearched || list.length > 0 ? new SerializedMessage(value, list, isSearched, others) : undefined;
}

function malformed(what) {
  return new (errors().MalformedValueError)(
    `a message of rust-workers was changed on its way: ${what}. Hand such messages on as they are`,
  );
}

/** The types of all records. */
function typesOf(records, image) {
  if (!Array.isArray(records)) throw malformed('it has no list of records');
  return records.map((record) => {
    if (typeof record !== 'object' || record === null || typeof record.typeTag !== 'string') {
      throw malformed('a record is not one');
    }
    const type = typeByTag(record.typeTag);
    if (image === IMAGE && type !== undefined) return type;
    throw require('./other-copy').recordOfOtherCopy(record.typeTag);
  });
}

/** Objects of a message that cannot be read whole: those that have moved here are closed. */
function discard(records, types, objects) {
  records.forEach((record, i) => {
    const { moves, nodeTransferables } = types[i];
    if (!moves) return;
    try {
      const made = objects.get(record);
      const parts = made === undefined ? nodeTransferables?.(record.content) ?? [] : [made];
      for (const part of parts) part.close?.();
    } catch {
      // The record is no better than the one that could not be read.
    }
  });
}

/** An object for each record, by record. */
function objectsOf(records, image) {
  const types = typesOf(records, image);
  const objects = new Map();
  try {
    records.forEach((record, i) => objects.set(record, types[i].deserialize(record.content)));
  } catch (error) {
    discard(records, types, objects);
    throw error;
  }
  return objects;
}

/** Puts the objects in the places of their records. A received value belongs to this thread, so it is changed in place. */
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
      // Sets all entries again: a key that changes would otherwise lose its place in the order.
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
 * @param {Bundle & { image?: number }} bundle as it came
 * @param {(objects: Map<object, object>) => void} [tell] gets the objects of the message, by record
 * @throws when an object cannot be made here
 */
function deserialize({ value, records, image = IMAGE }, tell) {
  const objects = objectsOf(records, image);
  tell?.(objects);
  return objects.size === 0 ? value : replaceRecords(value, objects);
}

module.exports = { deserialize, replaceRecords, serialize };
