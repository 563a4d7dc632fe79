'use strict';

// Errors on the wire: name, flags, message, stack, then properties (`cause` among them).

const { types } = require('node:util');
const nodeGlobals = require('../node-globals');
const { ERROR } = require('./tags');

const HAS_MESSAGE = 1;
const HAS_STACK = 2;

const classes = new Map([
  ['Error', Error], ['EvalError', EvalError], ['RangeError', RangeError], ['ReferenceError', ReferenceError],
  ['SyntaxError', SyntaxError], ['TypeError', TypeError], ['URIError', URIError],
]);
/** Own properties that are not enumerable in JavaScript and still belong to the value. */
const HIDDEN = ['cause', 'errors'];

// What the running engine's structured clone keeps; asked once, at the first error.
let engineKeepsCause;
function keepsCause() {
  return (engineKeepsCause ??= nodeGlobals.structuredClone(new Error('', { cause: 1 })).cause === 1);
}

const isErrorObject = (value) => types.isNativeError(value) || value instanceof Error;

function begin(writer, name, message, stack) {
  writer.byte(ERROR);
  writer.string(name);
  writer.byte((message === undefined ? 0 : HAS_MESSAGE) | (stack === undefined ? 0 : HAS_STACK));
  if (message !== undefined) writer.string(message);
  if (stack !== undefined) writer.string(stack);
}

/** As V8's structured clone does it: class by name, message, stack and cause; nothing else. */
function writeClonedError(writer, error) {
  const message = Object.getOwnPropertyDescriptor(error, 'message');
  const cause = Object.getOwnPropertyDescriptor(error, 'cause');
  const name = `${error.name}`;
  const text = message !== undefined && 'value' in message ? `${message.value}` : undefined;
  const stack = error.stack;
  begin(writer, classes.has(name) ? name : 'Error', text, typeof stack === 'string' ? stack : undefined);
  if (cause !== undefined && 'value' in cause && keepsCause()) {
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
  const keys = Object.keys(error).filter((key) => key !== 'name' && key !== 'message' && key !== 'stack');
  for (const key of HIDDEN) if (Object.hasOwn(error, key) && !keys.includes(key)) keys.push(key);
  writer.u32(keys.length);
  for (const key of keys) {
    writer.string(key);
    writer.any(error[key]);
  }
}

function bare(Class, message) {
  const limit = Error.stackTraceLimit;
  // The stack comes from the wire: do not pay for one of our own.
  // It cannot be set where intrinsics are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    if (Class === AggregateError) return new AggregateError([], message);
    return new Class(message);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

const hidden = (error, key, value) =>
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });

/** Reads an error into its slot, before its properties, for references back to it. */
function readError(reader, slot) {
  const name = reader.stringValue();
  const flags = reader.byte();
  const message = flags & HAS_MESSAGE ? reader.stringValue() : undefined;
  const stack = flags & HAS_STACK ? reader.stringValue() : undefined;
  const Class = name === 'AggregateError' ? AggregateError : classes.get(name) ?? Error;
  const error = bare(Class, message);
  if (error.name !== name) hidden(error, 'name', name);
  hidden(error, 'stack', stack);
  reader.fill(slot, error);
  for (let count = reader.count(2); count > 0; count--) {
    const key = reader.stringValue();
    const value = reader.any();
    if (HIDDEN.includes(key)) hidden(error, key, value);
    else Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return error;
}

module.exports = { isErrorObject, writeClonedError, writeFullError, readError };
