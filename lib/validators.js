'use strict';

/**
 * Argument checks. Each throws a typed error that names the argument, the accepted values and the received one:
 *
 *     The "options.maxThreads" argument must be an integer between 1 and 1024. Received 'x'
 *
 * A wrong type is ERR_RW_INVALID_ARG_TYPE; a number of the right type in the wrong place is
 * ERR_RW_OUT_OF_RANGE.
 */

const { inspect } = require('node:util');

const { InvalidArgTypeError, OutOfRangeError } = require('./errors');

/** The longest string that is shown in full in a message, in UTF-16 units. */
const SHOWN_LENGTH = 40;

/** Describes the received value in one line. Inspecting a value may run any code; an error of that code is ignored. */
function describe(value) {
  try {
    return shown(value);
  } catch {
    return typeof value === 'function' ? 'a function' : 'an object';
  }
}

function shown(value) {
  if (typeof value === 'function') {
    return typeof value.name === 'string' && value.name !== '' ? `function ${value.name}` : 'an anonymous function';
  }
  if (typeof value === 'string' && value.length > SHOWN_LENGTH)
    return `${inspect(value.slice(0, SHOWN_LENGTH))}...`;
  if (value !== null && typeof value === 'object') {
    const name = value.constructor?.name;
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  return inspect(value);
}

/** The whole sentence. */
function sentence(name, expected, value) {
  return `The "${name}" argument must be ${expected}. Received ${describe(value)}`;
}

/** Where a polluted prototype would be read from. */
const { prototype: OBJECT } = Object;

/** How a range of numbers is said: `between 1 and 1024`, or `of at least 0` when there is no upper end. */
function range(min, max) {
  const open = max === Infinity || max === Number.MAX_SAFE_INTEGER;
  return open ? `of at least ${min}` : `between ${min} and ${max}`;
}

/**
 * @param {unknown} value
 * @param {string} name as the caller knows it, `options.maxThreads`
 * @param {number} [min] inclusive
 * @param {number} [max] inclusive
 * @returns {number} the value
 */
function validateInteger(value, name, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  const expected = min === Number.MIN_SAFE_INTEGER ? 'an integer' : `an integer ${range(min, max)}`;
  const WrongError = typeof value === 'number' ? OutOfRangeError : InvalidArgTypeError;
  throw new WrongError(sentence(name, expected, value));
}

/**
 * A number that may have a fraction, such as a time in milliseconds. NaN is out of every range.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {number} min inclusive
 * @param {number} [max] inclusive; Infinity passes only when `max` is Infinity
 * @returns {number} the value
 */
function validateNumber(value, name, min, max = Infinity) {
  const expected = `a number ${range(min, max)}`;
  if (typeof value !== 'number') throw new InvalidArgTypeError(sentence(name, expected, value));
  if (!(value >= min && value <= max)) throw new OutOfRangeError(sentence(name, expected, value));
  return value;
}

/**
 * A limit, of time as a rule: a number, and nothing or Infinity for none.
 *
 * @param {unknown} value
 * @param {string} name
 * @param {number} min inclusive
 * @param {number} [max] inclusive
 * @returns {number | undefined} undefined for none
 */
function validateLimit(value, name, min, max) {
  return value === undefined || value === Infinity ? undefined : validateNumber(value, name, min, max);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string} the value
 */
function validateString(value, name) {
  if (typeof value !== 'string') throw new InvalidArgTypeError(sentence(name, 'a string', value));
  return value;
}

/**
 * An options bag: any object that is not an array or a function.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {object} the value
 */
function validateObject(value, name) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidArgTypeError(sentence(name, 'an object', value));
  }
  return value;
}

/**
 * An options bag in which every own name is known. Names that are inherited, and symbols, may be any: a class instance
 * serves as a bag, as in Node.
 *
 * @param {unknown} options
 * @param {string} name as the caller knows it
 * @param {ReadonlySet<string>} known the names of the options there are
 * @param {Record<string, string>} [notHere] what to say of options that exist, but not in this place
 * @returns {object} what to read them from: the bag itself, unless `Object.prototype` has one of the names. What stands
 *   there was given by nobody
 */
function validateOptions(options, name, known, notHere) {
  validateNames(options, name, known, notHere);
  for (const key of known) if (key in OBJECT) return withoutPollution(options, known);
  return options;
}

/** The first half of `validateOptions`. */
function validateNames(options, name, known, notHere) {
  validateObject(options, name);
  for (const key in options) {
    if (!known.has(key) && Object.hasOwn(options, key)) {
      throw require('./unknown-option').unknownOption(key, name, known, notHere);
    }
  }
}

/** As `validateOptions`; the options are a copy of what was given, so each has been read once: it may be a getter. */
function readOptions(options, name, known, notHere) {
  validateNames(options, name, known, notHere);
  return withoutPollution(options, known);
}

/** The options that stand on the bag itself, or on a class of it. */
function withoutPollution(options, known) {
  const clean = { __proto__: null };
  for (const key of known) {
    let holder = options;
    while (holder !== null && holder !== OBJECT && !Object.hasOwn(holder, key)) holder = Object.getPrototypeOf(holder);
    if (holder !== null && holder !== OBJECT) clean[key] = options[key];
  }
  return clean;
}

/**
 * Something to go through with `for` or `for await`. A string is refused: its letters are never what was
 * meant.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Iterable<unknown> | AsyncIterable<unknown>} the value
 */
function validateIterable(value, name) {
  const iterable =
    value !== null &&
    typeof value === 'object' &&
    (typeof value[Symbol.iterator] === 'function' || typeof value[Symbol.asyncIterator] === 'function');
  if (!iterable) throw new InvalidArgTypeError(sentence(name, 'an iterable or an async iterable', value));
  return value;
}

/**
 * An AbortSignal of this realm or any other: recognised by its shape, as Node does, and by the methods that we call.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {AbortSignal} the value
 */
function validateAbortSignal(value, name) {
  const isSignal =
    value !== null &&
    typeof value === 'object' &&
    'aborted' in value &&
    typeof value.addEventListener === 'function' &&
    typeof value.removeEventListener === 'function';
  if (!isSignal) {
    throw new InvalidArgTypeError(sentence(name, 'an AbortSignal', value));
  }
  return value;
}

/**
 * @param {unknown} value
 * @param {string} name as the caller knows it
 * @returns {Function} the value
 */
function validateFunction(value, name) {
  if (typeof value !== 'function') throw new InvalidArgTypeError(sentence(name, 'a function', value));
  return value;
}

/** @returns {boolean} */
function validateBoolean(value, name) {
  if (typeof value !== 'boolean') {
    throw new InvalidArgTypeError(`The "${name}" argument must be a boolean. Received ${describe(value)}`);
  }
  return value;
}

/** A priority: an integer of 32 bits. */
const validatePriority = (value, name) => validateInteger(value, name, -(2 ** 31), 2 ** 31 - 1);

module.exports = {
  describe,
  readOptions,
  validateBoolean,
  validateInteger,
  validateLimit,
  validateNumber,
  validateString,
  validateObject,
  validateNames,
  validateOptions,
  validatePriority,
  withoutPollution,
  validateFunction,
  validateIterable,
  validateAbortSignal,
};
