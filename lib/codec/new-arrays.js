'use strict';

/**
 * Arrays to be filled, of the kind that their elements need: V8 keeps arrays of small integers, of doubles and of anything.
 *
 * Integers in an array of doubles are read as doubles, and what computes with them is compiled for doubles. An array goes on from
 * integers to doubles to anything with what is stored. But V8 compiles a store that has seen this so that every array goes on at
 * once, and makes the next array of a literal like the last one became. So each kind is filled by stores of its own
 * (reader.js, lib/shared-value/copy.js), and arrays of numbers are slices, of which nothing is learned.
 *
 * Test: __test__/codec-arrays.test.js.
 */

const { concat, slice, zerosOf } = require('../runtime/intrinsics');

/** What the first elements of an array are; and so many of them are looked at. */
const OF_INTEGERS = 0;
const OF_NUMBERS = 1;
const OF_ANYTHING = 2;
const LOOK_AHEAD = 32;

/** Longer arrays are made of zeros, and become what they should be: that costs less than to fill them. */
const MOST_AT_ONCE = 1024;
let doubles = [0.5];
let objects = [null];

/** For small integers. */
const newIntegers = zerosOf;

/** For numbers. */
function newDoubles(length) {
  if (length > MOST_AT_ONCE) return zerosOf(length);
  while (doubles.length < length) doubles = concat.call(doubles, doubles);
  return slice.call(doubles, 0, length);
}

/** For anything. */
function newObjects(length) {
  switch (length) {
    case 0: return [];
    case 1: return [null];
    case 2: return [null, null];
    case 3: return [null, null, null];
    case 4: return [null, null, null, null];
  }
  if (length > MOST_AT_ONCE) {
    const array = zerosOf(length);
    array[0] = null;
    return array;
  }
  while (objects.length < length) objects = concat.call(objects, objects);
  return slice.call(objects, 0, length);
}

module.exports = { LOOK_AHEAD, OF_ANYTHING, OF_INTEGERS, OF_NUMBERS, newDoubles, newIntegers, newObjects };
