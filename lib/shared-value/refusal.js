'use strict';

/** What cannot be shared, and how an error says so. */

const { types } = require('node:util');

const { findPath } = require('../codec/value-path');
const { className, exoticName, platformName } = require('../codec/object-kinds');
const { isView } = require('../codec/bytes');
const { UnsupportedValueError, ValueTooDeepError, ValueTooLargeError } = require('../errors');

const ADVICE =
  'share strings, numbers, booleans, bigints, null, undefined, plain objects, arrays, Dates, ArrayBuffers and typed arrays';

function describe(value) {
  if (typeof value === 'function') return 'a function, which belongs to its thread';
  if (typeof value === 'symbol') return 'a symbol, which belongs to its thread';
  if (types.isProxy(value)) return 'a Proxy (views of shared values are Proxies too)';
  if (isView(value) || types.isAnyArrayBuffer(value)) return 'memory that is gone, or of a type that this version does not know';
  if (Array.isArray(value)) return 'an array of a class, or with properties beside its elements, which would be lost';
  const name = types.isMap(value) ? 'Map' : types.isSet(value) ? 'Set' : exoticName(value) ?? platformName(value) ?? className(value);
  return `an object of class ${name}, whose class would be lost`;
}

/** The error for a part of a value that cannot be shared. */
function unsupported(root, part) {
  const path = findPath(root, 'value', (at) => Object.is(at, part)) ?? 'something in value';
  return new UnsupportedValueError(`${path} is ${describe(part)}: ${ADVICE}`);
}

const tooDeep = () => new ValueTooDeepError('value is nested too deeply for the stack: flatten it');

const tooLarge = (bytes, cause) =>
  new ValueTooLargeError(`there is no memory for the ${bytes} bytes that value takes: share less at a time`, { cause });

/** Memory of this class. */
function allocate(Memory, bytes) {
  try {
    return new Memory(bytes);
  } catch (error) {
    throw tooLarge(bytes, error);
  }
}

module.exports = { allocate, tooDeep, tooLarge, unsupported };
