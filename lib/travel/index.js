'use strict';

/**
 * Objects of ours in Node's own messages: `worker.postMessage`, `parentPort.postMessage`, `workerData`.
 *
 * Structured clone takes a class instance apart, so an object of ours is replaced by a record (README.md tells the
 * form of the message). Two things keep plain messages as they are: a message is searched only in an environment that
 * ever had an object that travels, and it is changed only when it holds one; the receiving side looks at one property.
 */

const { types } = require('node:util');

const { InternalError } = require('../errors');
const { seal, unseal } = require('./mark');
const { isMarkedAsUntransferable, notHere, notListed, untransferable } = require('./refusals');
const { isAwake, kindOf, kindOfBrand, register, wake } = require('./registry');
const { findTravelers, hasTraveler, isLeaf } = require('./search');
const { listOf } = require('./transfer-list');

/** Defines, so that `__proto__` is a property like any other. */
function put(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The value with a record in the place of each traveler. Containers without any are not copied. */
function withRecords(value, ways, records) {
  const copies = new Map(records);
  const copyOf = (source) => {
    if (isLeaf(source)) return source;
    const known = copies.get(source);
    if (known !== undefined) return known;
    if (!ways.has(source)) return source;
    let copy;
    if (types.isMap(source)) copy = new Map();
    else if (types.isSet(source)) copy = new Set();
    else if (Array.isArray(source)) copy = new Array(source.length);
    else copy = {};
    copies.set(source, copy);
    if (types.isMap(source)) for (const [key, entry] of source) copy.set(copyOf(key), copyOf(entry));
    else if (types.isSet(source)) for (const member of source) copy.add(copyOf(member));
    else for (const key of Object.keys(source)) put(copy, key, copyOf(source[key]));
    return copy;
  };
  return copyOf(value);
}

/** An object that is on the list and must not leave: an error, or as if it were not on the list, as Node has it. */
function refuse(object, listed) {
  const error = untransferable();
  if (error !== undefined) throw error;
  listed.delete(object);
}

/** A message on its way: what to hand to Node, and what to do once Node has taken or refused it. */
class Departure {
  #packed = [];

  /**
   * @param {unknown} value a value with travelers
   * @param {object[]} list the transfer list
   */
  constructor(value, list) {
    const { travelers, ways } = findTravelers(value);
    const listed = new Set(list);
    for (const object of list) {
      if (isLeaf(object) || !kindOf(object)?.moves) continue;
      if (isMarkedAsUntransferable(object)) refuse(object, listed);
      else travelers.add(object);
    }
    for (const object of travelers) {
      const { gone, moves } = kindOf(object);
      if (moves && !listed.has(object)) throw gone?.(object) ? notHere() : notListed();
    }
    this.transferList = list.filter((object) => isLeaf(object) || !kindOf(object)?.moves);

    const records = new Map();
    try {
      for (const object of travelers) {
        const kind = kindOf(object);
        const record = { brand: kind.brand, content: kind.pack(object) };
        this.#packed.push({ object, kind, content: record.content });
        records.set(object, record);
        if (kind.transferables) this.transferList.push(...kind.transferables(record.content));
      }
      this.bundle = { value: withRecords(value, ways, records), records: [...records.values()] };
    } catch (error) {
      this.#tell('kept');
      throw error;
    }
  }

  #tell(what) {
    for (const { object, kind, content } of this.#packed) kind[what]?.(object, content);
  }

  /**
   * Sends: calls `post`, and tells the travelers how it went.
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
      this.#tell('kept');
      throw error;
    }
    this.#tell('moved');
    return result;
  }
}

/**
 * The way out for a message that holds objects of ours; undefined for every other message, which Node is to take as
 * it is, with whatever Node has to say about it.
 *
 * @param {unknown} value
 * @param {unknown} [transfer] as `postMessage` takes it
 * @returns {Departure | undefined}
 * @throws {Error} Node's DataCloneError (a TypeError on Node 20): an object that has to be transferred is not on the list
 */
function departure(value, transfer) {
  if (!isAwake()) return undefined;
  const list = listOf(transfer);
  if (list === undefined) return undefined;
  const moves = list.some((object) => !isLeaf(object) && kindOf(object)?.moves);
  return moves || hasTraveler(value) ? new Departure(value, list) : undefined;
}

function unpack({ brand, content }) {
  const kind = kindOfBrand(brand);
  if (kind === undefined) {
    throw new InternalError(
      `A message holds a ${brand}, which this copy of rust-workers does not know: use one version in all threads`,
    );
  }
  return kind.unpack(content);
}

/** Puts the objects in the places of their records. Received containers are ours to change. */
function replaceRecords(value, objects) {
  const seen = new Set();
  const waiting = [];
  const visit = (child) => {
    if (isLeaf(child)) return child;
    const object = objects.get(child);
    if (object !== undefined) return object;
    if (!seen.has(child)) {
      seen.add(child);
      waiting.push(child);
    }
    return child;
  };
  const result = visit(value);
  while (waiting.length > 0) {
    const at = waiting.pop();
    if (types.isMap(at)) {
      // All anew: a key that changes would otherwise lose its place in the order.
      const entries = [...at];
      at.clear();
      for (const [key, entry] of entries) at.set(visit(key), visit(entry));
    } else if (types.isSet(at)) {
      const members = [...at];
      at.clear();
      for (const member of members) at.add(visit(member));
    } else {
      for (const key of Object.keys(at)) {
        const child = at[key];
        const object = visit(child);
        if (object !== child) put(at, key, object);
      }
    }
  }
  return result;
}

/**
 * The message proper, with objects of this thread.
 *
 * @param {{ value: unknown, records: object[] }} bundle as it came
 * @throws when an object cannot be made here
 */
function arrive({ value, records }) {
  const objects = new Map(records.map((record) => [record, unpack(record)]));
  return replaceRecords(value, objects);
}

module.exports = { arrive, departure, register, replaceRecords, seal, unseal, wake };
