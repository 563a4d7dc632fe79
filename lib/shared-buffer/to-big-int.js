'use strict';

const { apply } = Reflect;
const { asIntN } = BigInt;

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** The language's ToPrimitive with the hint "number". */
function toPrimitive(value) {
  if (!isObject(value)) return value;
  const exotic = value[Symbol.toPrimitive];
  if (exotic !== undefined && exotic !== null) {
    if (typeof exotic !== 'function') throw new TypeError('Symbol.toPrimitive is not a function');
    const primitive = apply(exotic, value, ['number']);
    if (!isObject(primitive)) return primitive;
    throw new TypeError('Cannot convert object to primitive value');
  }
  for (const name of ['valueOf', 'toString']) {
    const convert = value[name];
    if (typeof convert === 'function') {
      const primitive = apply(convert, value, []);
      if (!isObject(primitive)) return primitive;
    }
  }
  throw new TypeError('Cannot convert object to primitive value');
}

/**
 * The language's ToBigInt. Unlike `BigInt(value)` it takes no numbers, and unlike `BigInt.asIntN` it keeps all bits.
 *
 * @param {unknown} value
 * @returns {bigint}
 * @throws {TypeError | SyntaxError} as the language has it
 */
function toBigInt(value) {
  if (typeof value === 'bigint') return value;
  const primitive = toPrimitive(value);
  if (typeof primitive === 'bigint') return primitive;
  // Throws for all but booleans and strings of digits, of which `BigInt` then makes what ToBigInt does.
  asIntN(0, primitive);
  return BigInt(primitive);
}

module.exports = { toBigInt };
