'use strict';

/** The element types of an atomic view by name. */

const INTEGERS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bigInt64: BigInt64Array,
  bigUint64: BigUint64Array,
};

const FLOATS = { float32: Float32Array, float64: Float64Array };

/** name -> typed array */
const ELEMENT_TYPES = new Map(Object.entries({ ...INTEGERS, ...FLOATS }));

/** Whether elements of this type have plain loads and stores only. */
const isFloat = (type) => Object.hasOwn(FLOATS, type);

module.exports = { ELEMENT_TYPES, isFloat };
