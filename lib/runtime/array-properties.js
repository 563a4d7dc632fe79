'use strict';

/**
 * Has an array enumerable properties besides its elements (as the result of String#match has)? JavaScript has no direct
 * question for that: `Object.keys` costs a string per element.
 *
 * Relies on: the words of `util.inspect` for an array of which no element is shown, `[ ... 100 more items ]` (in Node 20 to
 * 26). It takes the same time at any length.
 * Without: any other text (of an array with properties, or a later Node's) leads to the slow, certain way.
 * Test: __test__/runtime/array-properties.test.js.
 */

const { inspect } = require('node:util');

const { ArrayPrototype } = require('./intrinsics');

const { getPrototypeOf, hasOwn, keys } = Object;
const { toStringTag } = Symbol;

/** From here on util.inspect is the faster way to ask. */
const LONG = 64;
const BRIEF = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity, compact: true };

/** Whether util.inspect would read nothing but built-in properties: no code of a program's runs. */
function isUsual(array) {
  return getPrototypeOf(array) === ArrayPrototype && !(toStringTag in array) && !hasOwn(array, 'constructor');
}

/** The text of `util.inspect` for an array without properties. */
const usualText = (length) => `[ ... ${length} more items ]`;

/** @param {unknown[]} array no Proxy, without holes */
function hasNamedProperties(array) {
  const { length } = array;
  if (length >= LONG && isUsual(array) && inspect(array, BRIEF) === usualText(length)) return false;
  return keys(array).length !== length;
}

module.exports = { BRIEF, hasNamedProperties, usualText };
