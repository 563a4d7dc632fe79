'use strict';

/**
 * Finds objects that travel inside a value, where structured clone would look: elements and own enumerable properties
 * of ordinary objects and arrays, entries of Maps, members of Sets.
 */

const { types } = require('node:util');

const { kindOf } = require('./registry');

/** What is found in a value, or what cannot have anything inside. */
function isLeaf(value) {
  return typeof value !== 'object' || value === null || ArrayBuffer.isView(value);
}

/** The values inside a container, keys of a Map included. */
function inside(container) {
  if (types.isMap(container)) return [...container.keys(), ...container.values()];
  if (types.isSet(container)) return [...container];
  return Object.values(container);
}

/** Whether anything in this value travels. */
function hasTraveler(value) {
  if (isLeaf(value)) return false;
  if (kindOf(value) !== undefined) return true;
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

module.exports = { hasTraveler, findTravelers, isLeaf };
