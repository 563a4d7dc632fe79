'use strict';

// Errors on the wire: name, flags, message, stack, then properties (`cause` among them).

const { types } = require('node:util');
const nodeGlobals = require('../runtime/globals');
const { kin } = require('./object-kinds');
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
/** Own properties that are not enumerable in JavaScript and still belong to the value. */
const HIDDEN = ['cause', 'errors'];
const isHidden = (key) => key === 'cause' || key === 'errors' || key === 'stack';

// What the running engine's structured clone keeps; asked once, at the first error.
let engineKeepsCause;
function keepsCause() {
  return (engineKeepsCause ??= nodeGlobals.structuredClone(new Error('', { cause: 1 })).cause === 1);
}

const isErrorObject = (value) => types.isNativeError(value) || kin(value).isError;

/** Whether a class of errors has a name on the wire. */
const knowsClass = (name) => classes.get(name) !== undefined || name === 'AggregateError' || name === 'DOMException';

/** The name on the wire of the class that has this prototype, if it is one of this realm. */
const classNameOf = (prototype) => names.get(prototype);

function begin(writer, name, message, stack) {
  writer.byte(ERROR);
  writer.string(name);
  writer.byte((message === undefined ? 0 : HAS_MESSAGE) | (stack === undefined ? 0 : HAS_STACK));
  if (message !== undefined) writer.string(message);
  if (stack !== undefined) writer.string(stack);
}

/** As V8's structured clone does it: class by name, message, stack and cause; nothing else. */
function writeClonedError(writer, error) {
  const message = getOwnPropertyDescriptor(error, 'message');
  const cause = getOwnPropertyDescriptor(error, 'cause');
  const name = `${error.name}`;
  const text = message !== undefined && hasOwn(message, 'value') ? `${message.value}` : undefined;
  const stack = error.stack;
  begin(writer, classes.has(name) ? name : 'Error', text, typeof stack === 'string' ? stack : undefined);
  if (cause !== undefined && hasOwn(cause, 'value') && keepsCause()) {
    writer.u32(1);
    writer.string('cause');
    writer.any(cause.value);
  } else {
    writer.u32(0);
  }
}

/** With everything that tells a person or a program what went wrong: the true name and all own properties. */
function writeFullError(writer, error) {
  const { name, message, stack } = error;
  const stackText = typeof stack === 'string' ? stack : undefined;
  begin(writer, typeof name === 'string' ? name : 'Error', `${message}`, stackText);
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
  for (let i = 0; i < HIDDEN.length; i++) {
    if (hasOwn(error, HIDDEN[i]) && !keys.includes(HIDDEN[i])) append(keys, HIDDEN[i]);
  }
  return keys;
}

function bare(Class, message, name) {
  const limit = Error.stackTraceLimit;
  // The stack comes from the wire: do not pay for one of our own.
  // It cannot be set where intrinsics are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    if (Class === AggregateError) return new AggregateError([], message);
    if (Class === DOMException) return new DOMException(message, name);
    return new Class(message);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/** Reads an error into its slot, before its properties, for references back to it. */
function readError(reader, slot) {
  const className = reader.stringValue();
  const flags = reader.byte();
  const name = flags & HAS_NAME ? reader.stringValue() : className;
  const message = flags & HAS_MESSAGE ? reader.stringValue() : undefined;
  const stack = flags & HAS_STACK ? reader.stringValue() : undefined;
  const error = bare(classOf(className), message, name);
  if (error.name !== name) define(error, 'name', name, false);
  define(error, 'stack', stack, false);
  reader.fill(slot, error);
  for (let count = reader.count(2); count > 0; count--) {
    const key = reader.stringValue();
    define(error, key, reader.any(), !isHidden(key));
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
