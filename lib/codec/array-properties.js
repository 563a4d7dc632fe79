'use strict';

// Has an array enumerable properties beside its elements (as the result of String#match has)? JavaScript has
// no direct question for that: Object.keys costs a string per element.

const { inspect } = require('node:util');

const { ArrayPrototype } = require('./intrinsics');

const { getPrototypeOf, hasOwn, keys } = Object;
const { toStringTag } = Symbol;

/** From here on util.inspect, which takes the same time at any length, is the faster way to ask. */
const LONG = 64;
const brief = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity, compact: true };

/** Whether util.inspect would read nothing but built-in properties: no code of a program's runs. */
function isUsual(array) {
  return getPrototypeOf(array) === ArrayPrototype && !(toStringTag in array) && !hasOwn(array, 'constructor');
}

/** @param {unknown[]} array no Proxy, without holes */
function hasNamedProperties(array) {
  const { length } = array;
  // Any other text (properties, a later Node's wording) leads to the slow, certain way.
  if (length >= LONG && isUsual(array) && inspect(array, brief) === `[ ... ${length} more items ]`) return false;
  return keys(array).length !== length;
}

module.exports = { hasNamedProperties };
