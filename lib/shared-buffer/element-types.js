'use strict';

/** The element types of an atomic view: the names that programs use, and the typed array of each. */

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

/** name -> typed array class */
const ELEMENT_TYPES = new Map(Object.entries({ ...INTEGERS, ...FLOATS }));

/** Whether a view of this type has only `load` and `store`: `Atomics` has no operations for floats. */
const isFloat = (type) => Object.hasOwn(FLOATS, type);

module.exports = { ELEMENT_TYPES, isFloat };
