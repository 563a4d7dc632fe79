'use strict';

/**
 * The option `callSites`: the error of a task says where the task was submitted, whatever ended it. The answer of a task comes from
 * the event loop, so its error's stack ends in functions of ours, or in the script's thread.
 *
 * The stack is captured at the submission, and made a text only if the task fails. Frames of this package and of Node's inside are
 * left out; those by which V8 follows an `await` stay. Submitted in the middle of our own work, as the inputs of a map are, a task
 * has no frames; the call that began it has.
 *
 * An error of ours that several tasks would share (a signal's, or that of a destroyed pool) is copied: each says where its own task
 * comes from.
 */

const path = require('node:path');
const { types } = require('node:util');

const { publicClasses, withoutStack } = require('../errors');

/** Frames of ours begin with it. */
const OWN = path.dirname(__dirname) + path.sep;
/** So many frames of ours may stand above those that are wanted. */
const OF_OURS = 8;

const classes = new Set(Object.values(publicClasses));

/** Errors that say already where a task of theirs comes from. */
const placed = new WeakSet();

/** The stack of this call, captured and not yet made a text. */
function capture() {
  const site = {};
  const { stackTraceLimit } = Error;
  // Where intrinsics are frozen it cannot be set.
  const isSet = typeof stackTraceLimit === 'number' && Reflect.set(Error, 'stackTraceLimit', stackTraceLimit + OF_OURS);
  Error.captureStackTrace(site, capture);
  if (isSet) Error.stackTraceLimit = stackTraceLimit;
  return site;
}

/** The lines of the program's own frames. */
function framesOf(site) {
  const { stack } = site;
  if (typeof stack !== 'string') return [];
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.filter((line) => !line.includes(OWN) && !line.includes('(node:') && !/at (async )?node:/.test(line) && !line.includes('<anonymous>)'));
}

/** Where several tasks would have the same error: one of its own. */
function copyOf(error) {
  const { constructor: Class, message, ...extra } = error;
  const copy = withoutStack(() => new error.constructor(error.message, { cause: error.cause, ...extra }));
  if (!Object.hasOwn(error, 'cause')) delete copy.cause;
  return copy;
}

/**
 * @param {unknown} error of a task
 * @param {{ stack: unknown }} site as `capture` returns it
 * @param {string} what was called, for the line before the frames
 * @returns {unknown} the error, or a copy
 */
function withSite(error, site, what) {
  // The error that ended a worker comes by Node, which makes an object of the class that is no native error.
  if (!types.isNativeError(error) && !(error instanceof Error)) return error;
  try {
    const frames = framesOf(site);
    if (frames.length === 0 || (typeof error.stack === 'string' && error.stack.includes(frames[0]))) return error;
    const isPlaced = placed.has(error);
    // Shared by callers of one run, and of a class that is not ours: it says where the first has submitted it.
    if (isPlaced && !classes.has(error.constructor)) return error;
    const own = isPlaced ? copyOf(error) : error;
    const stack = typeof own.stack === 'string' ? own.stack : `${own.name}: ${own.message}`;
    const value = `${stack}\n    at async ${what}\n${frames.join('\n')}`;
    Object.defineProperty(own, 'stack', { value, writable: true, configurable: true, enumerable: false });
    placed.add(own);
    return own;
  } catch {
    // It is frozen, or a program's own `prepareStackTrace` throws.
    return error;
  }
}

/**
 * For a call that stands on the stack: a function that gives an error of it the place of the call.
 *
 * @param {string} what was called
 * @returns {(error: unknown) => unknown}
 */
function placer(what) {
  const site = capture();
  return (error) => withSite(error, site, what);
}

/**
 * The promise of a call, rejected with an error that says where the call stands.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what was called
 * @returns {Promise<T>}
 */
function follow(promise, what) {
  const placed = placer(what);
  return promise.then(undefined, (error) => {
    throw placed(error);
  });
}

/** Throws an error that says where the call stands, which is still on the stack. */
function throwHere(error, what) {
  throw withSite(error, capture(), what);
}

module.exports = { follow, placer, throwHere };
