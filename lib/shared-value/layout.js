'use strict';

/**
 * How a shared value stands in its memory.
 *
 * The memory is a row of cells of eight bytes, so that any part of a value is found without reading another. A cell is a
 * double; or it is one of the doubles that no number has (a negative NaN with one of the payloads below), and then its
 * high half is a tag, and its low half what the tag says.
 *
 *     cell 0   MAGIC and how many shapes there are
 *     cell 1   the value
 *     cell 2   where the list of shapes begins: one cell for each, with the place of its record
 *
 *     tag        low half              record at that cell
 *     INT32      the integer
 *     LATIN1     place of the record   length, then at once so many bytes
 *     UTF16      place of the record   length, then at once so many units
 *     OBJECT     place of the record   number of the shape, and flags; a cell for each of its keys
 *     ARRAY      place of the record   length, and flags; a cell for each element
 *     DATE       place of the record   a double: milliseconds
 *     BIGINT     place of the record   number of words and 1 if below zero; the words, lowest first
 *     BYTES      place of the record   kind of the view; its offset and its length, in bytes, in the second memory
 *     (a shape)                        number of keys; a string cell for each
 *
 * Places are numbers of cells. HOLE stands where an array has a hole, and where a getter has deleted the key of an object. An
 * object that is met twice has one record, so cycles and identity are kept. The flags of a record, the high half of its first
 * cell, spare readers most questions: MET_AGAIN if it was met twice, HAS_HOLES if there is one in it.
 *
 * Bytes stand in a memory of their own, since who has a view of them has all of its memory.
 */

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

module.exports = {
  /** Of the two halves of a cell, as Int32 elements. */
  LOW: isLittleEndian ? 0 : 1,
  HIGH: isLittleEndian ? 1 : 0,
  MAGIC: 0x52575631,
  /** Where they stand, in cells. */
  HEADER: 0,
  ROOT: 1,
  SHAPES: 2,
  FIRST_FREE: 3,
  /** The high half of the one NaN that is a number. */
  NAN: 0x7ff80000,
  MET_AGAIN: 1,
  HAS_HOLES: 2,
  // All of them are below zero and above the high half of -Infinity.
  UNDEFINED: -1,
  NULL: -2,
  FALSE: -3,
  TRUE: -4,
  INT32: -5,
  HOLE: -6,
  LATIN1: -7,
  UTF16: -8,
  OBJECT: -9,
  ARRAY: -10,
  DATE: -11,
  BIGINT: -12,
  BYTES: -13,
  /** Below the last. */
  NO_TAG: -14,
};
