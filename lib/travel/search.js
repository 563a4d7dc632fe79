'use strict';

/**
 * Finds objects that travel inside a value, where structured clone would look: elements and own enumerable properties
 * of ordinary objects and arrays, entries of Maps, members of Sets.
 */

const { types } = require('node:util');

const { kindOf } = require('./registry');

/** What has nothing inside. */
function isLeaf(value) {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value);
}

/** How Node marks what it can transfer, such as streams and file handles: a method of this name. */
const TRANSFER = 'messaging_transfer_symbol';
/** prototype -> whether it has the mark. */
const marked = new WeakMap();

const hasMark = (object) => Object.getOwnPropertySymbols(object).some(({ description }) => description === TRANSFER);

function inheritsMark(object) {
  const prototype = Object.getPrototypeOf(object);
  if (prototype === null) return false;
  let known = marked.get(prototype);
  if (known === undefined) {
    known = hasMark(prototype) || inheritsMark(prototype);
    marked.set(prototype, known);
  }
  return known;
}

/** Whether this is a thing of Node's that it takes to another thread by itself: nothing to look into. */
function isTransferable(object) {
  return hasMark(object) || inheritsMark(object);
}

/** The values inside a container, keys of a Map included. */
function inside(container) {
  if (Array.isArray(container) || Object.getPrototypeOf(container) === Object.prototype) return Object.values(container);
  if (types.isMap(container)) return [...container.keys(), ...container.values()];
  if (types.isSet(container)) return [...container];
  return isTransferable(container) ? [] : Object.values(container);
}

/** So many containers are searched without remembering which they were; most messages have fewer. */
const FEW = 32;
let budget;

/**
 * Whether something in a container travels. Remembers nothing, so it may meet a container twice; `undefined` when it
 * met too many to go on like this.
 */
function hasTravelerAmongFew(container) {
  if (--budget < 0) return undefined;
  for (const child of inside(container)) {
    if (isLeaf(child)) continue;
    if (kindOf(child) !== undefined) return true;
    const answer = hasTravelerAmongFew(child);
    if (answer !== false) return answer;
  }
  return false;
}

/** Whether anything in this value travels. */
function hasTraveler(value) {
  if (isLeaf(value)) return false;
  if (kindOf(value) !== undefined) return true;
  budget = FEW;
  const answer = hasTravelerAmongFew(value);
  if (answer !== undefined) return answer;
  const seen = new Set([value]);
  const waiting = [value];
  while (waiting.length > 0) {
    for (const child of inside(waiting.pop())) {
      if (isLeaf(child) || seen.has(child)) continue;
      if (kindOf(child) !== undefined) return true;
      seen.add(child);
      waiting.push(child);
    }
  }
  return false;
}

/**
 * All objects in a value that travel, and all containers from which one of them can be reached.
 *
 * @returns {{ travelers: Set<object>, ways: Set<object> }}
 */
function findTravelers(value) {
  const travelers = new Set();
  const parents = new Map();
  const waiting = [value];
  if (!isLeaf(value)) parents.set(value, []);
  while (waiting.length > 0) {
    const at = waiting.pop();
    if (isLeaf(at)) continue;
    if (kindOf(at) !== undefined) {
      travelers.add(at);
      continue;
    }
    for (const child of inside(at)) {
      if (isLeaf(child)) continue;
      const known = parents.get(child);
      if (known !== undefined) {
        known.push(at);
        continue;
      }
      parents.set(child, [at]);
      waiting.push(child);
    }
  }
  return { travelers, ways: ancestors(travelers, parents) };
}

function ancestors(objects, parents) {
  const found = new Set();
  const waiting = [...objects];
  while (waiting.length > 0) {
    for (const parent of parents.get(waiting.pop())) {
      if (found.has(parent)) continue;
      found.add(parent);
      waiting.push(parent);
    }
  }
  return found;
}

module.exports = { hasTraveler, findTravelers, inside, isLeaf, isTransferable };
