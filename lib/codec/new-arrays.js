'use strict';

/**
 * Arrays to be filled, of the kind that their first element needs: V8 keeps arrays of small integers, of doubles and of anything.
 *
 * Integers in an array of doubles are read as doubles, and what computes with them is compiled for doubles. An array goes on from
 * integers to doubles to anything with what is stored. But V8 compiles a store that has seen this so that every array goes on at
 * once, and makes the next array of a literal like the last one became. So each kind is filled by stores of its own
 * (`array` and `numbers` in reader.js, lib/shared-value/copy.js), and arrays of numbers are slices, of which nothing is learned.
 *
 * Test: __test__/codec-arrays.test.js.
 */

const { concat, slice, zerosOf } = require('../runtime/intrinsics');

/** Longer arrays of doubles begin as integers: to make them doubles costs less than to fill them. */
const MOST_DOUBLES = 1024;
let doubles = [0.5];

/** For numbers of which the first is a small integer. */
const newIntegers = zerosOf;

/** For numbers of which the first is none. */
function newDoubles(length) {
  if (length > MOST_DOUBLES) return zerosOf(length);
  while (doubles.length < length) doubles = concat.call(doubles, doubles);
  return slice.call(doubles, 0, length);
}

/** For values of which the first is no number. */
function newObjects(length) {
  switch (length) {
    case 0: return [];
    case 1: return [null];
    case 2: return [null, null];
    case 3: return [null, null, null];
    case 4: return [null, null, null, null];
  }
  return zerosOf(length);
}

module.exports = { newDoubles, newIntegers, newObjects };
