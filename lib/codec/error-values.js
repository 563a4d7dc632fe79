'use strict';

// Errors on the wire. The parts after the tag, in order: the class name; a byte of flags; the error's own name if
// HAS_NAME is set, its message if HAS_MESSAGE, its stack if HAS_STACK; the number of its other properties; each of these
// as a key and a value (`cause` is one of them).
//
// A reader makes the object by the class name, so `error instanceof RangeError` holds; HAS_NAME is for an error whose
// `name` differs from its class name.

const { types } = require('node:util');
const nodeGlobals = require('../runtime/globals');
const { classFacts } = require('./object-kinds');
const { SafeMap, append, define } = require('../runtime/intrinsics');
const {
  ERROR, ERROR_HAS_MESSAGE: HAS_MESSAGE, ERROR_HAS_NAME: HAS_NAME, ERROR_HAS_STACK: HAS_STACK,
} = require('../constants').TAGS;

const { getOwnPropertyDescriptor, hasOwn, keys: keysOf } = Object;

const { AggregateError, DOMException, Error } = globalThis;
const classes = new SafeMap();
for (const Class of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  classes.set(Class.name, Class);
}
/** prototype → the name that its class has on the wire. */
const names = new SafeMap();
classes.forEach((Class, name) => names.set(Class.prototype, name));
names.set(AggregateError.prototype, 'AggregateError');
if (DOMException !== undefined) names.set(DOMException.prototype, 'DOMException');
/** Properties that are sent although JavaScript makes them non-enumerable. */
const SENT_NON_ENUMERABLE = ['cause', 'errors'];
const isNonEnumerable = (key) => key === 'cause' || key === 'errors' || key === 'stack';

// Whether structured clone keeps `cause` depends on the V8 that runs. The first error asks.
let engineKeepsCause;
function keepsCause() {
  return (engineKeepsCause ??= nodeGlobals.structuredClone(new Error('', { cause: 1 })).cause === 1);
}

const isErrorObject = (value) => types.isNativeError(value) || classFacts(value).isError;

/** Whether a class of errors has a name on the wire. */
const knowsClass = (name) => classes.get(name) !== undefined || name === 'AggregateError' || name === 'DOMException';

/** The name on the wire of the class that has this prototype, if it is one of this realm. */
const classNameOf = (prototype) => names.get(prototype);

function writeHead(writer, name, message, stack) {
  writer.byte(ERROR);
  writer.string(name);
  writer.byte((message === undefined ? 0 : HAS_MESSAGE) | (stack === undefined ? 0 : HAS_STACK));
  if (message !== undefined) writer.string(message);
  if (stack !== undefined) writer.string(stack);
}

/** Writes the parts that V8's structured clone keeps: the class, found by `error.name`; message, stack and cause. */
function writeClonedError(writer, error) {
  const message = getOwnPropertyDescriptor(error, 'message');
  const cause = getOwnPropertyDescriptor(error, 'cause');
  const name = `${error.name}`;
  const text = message !== undefined && hasOwn(message, 'value') ? `${message.value}` : undefined;
  const stack = error.stack;
  writeHead(writer, classes.has(name) ? name : 'Error', text, typeof stack === 'string' ? stack : undefined);
  if (cause !== undefined && hasOwn(cause, 'value') && keepsCause()) {
    writer.u32(1);
    writer.string('cause');
    writer.any(cause.value);
  } else {
    writer.u32(0);
  }
}

/** Writes everything that helps to find the cause: the error's `name` as it is, and all own properties. */
function writeFullError(writer, error) {
  const { name, message, stack } = error;
  const stackText = typeof stack === 'string' ? stack : undefined;
  writeHead(writer, typeof name === 'string' ? name : 'Error', `${message}`, stackText);
  const keys = ownKeys(error);
  writer.u32(keys.length);
  for (let i = 0; i < keys.length; i++) {
    writer.string(keys[i]);
    writer.any(error[keys[i]]);
  }
}

/** The keys of an error's own properties, but for its name, message and stack. */
function ownKeys(error) {
  const keys = keysOf(error).filter((key) => key !== 'name' && key !== 'message' && key !== 'stack');
  for (let i = 0; i < SENT_NON_ENUMERABLE.length; i++) {
    if (hasOwn(error, SENT_NON_ENUMERABLE[i]) && !keys.includes(SENT_NON_ENUMERABLE[i])) {
      append(keys, SENT_NON_ENUMERABLE[i]);
    };
  }
  return keys;
}

/** Makes an error without capturing a stack, which would cost time: the wire has the sender's stack. */
function createWithoutStack(Class, message, name) {
  const limit = Error.stackTraceLimit;
  // Where a program has frozen the intrinsics, `Reflect.set` returns false and an assignment would throw.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    if (Class === AggregateError) return new AggregateError([], message);
    if (Class === DOMException) return new DOMException(message, name);
    return new Class(message);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/** Reads an error. Fills its slot before it reads the properties, which may refer back to the error. */
function readError(reader, slot) {
  const className = reader.stringValue();
  const flags = reader.byte();
  const name = flags & HAS_NAME ? reader.stringValue() : className;
  const message = flags & HAS_MESSAGE ? reader.stringValue() : undefined;
  const stack = flags & HAS_STACK ? reader.stringValue() : undefined;
  const error = createWithoutStack(classOf(className), message, name);
  if (error.name !== name) define(error, 'name', name, false);
  define(error, 'stack', stack, false);
  reader.fill(slot, error);
  for (let count = reader.count(2); count > 0; count--) {
    const key = reader.stringValue();
    define(error, key, reader.any(), !isNonEnumerable(key));
  }
  return error;
}

function classOf(name) {
  if (name === 'AggregateError') return AggregateError;
  if (name === 'DOMException' && DOMException !== undefined) return DOMException;
  return classes.get(name) ?? Error;
}

module.exports = {
  HAS_MESSAGE, HAS_NAME, HAS_STACK, classNameOf, isErrorObject, knowsClass, ownKeys, readError, writeClonedError, writeFullError,
};
