'use strict';

/** What is given away with a value: named by a list, or found in it. */

const { types } = require('node:util');
const { MessagePort } = require('../node-threads');

const { InvalidArgTypeError } = require('../errors');
const { closedPort } = require('../closed-port');
const { arrive, departure } = require('../travel');
const { Moved } = require('./task');

/** Stands for "whatever there is in the value". */
const AUTO = 'auto';

/**
 * Marks what a task returns to be moved to the caller instead of copied.
 *
 * @param {unknown} value the result
 * @param {readonly object[] | 'auto'} [list] what is given away; 'auto': every ArrayBuffer and MessagePort in it
 * @returns {Moved} for the task to return
 */
function move(value, list = AUTO) {
  if (list !== AUTO && !Array.isArray(list)) {
    throw new InvalidArgTypeError('The "list" argument must be an array of transferable objects, or \'auto\'');
  }
  return new Moved(value, list === AUTO ? transferablesOf(value) : list);
}

/** Every ArrayBuffer and MessagePort in a value, at any depth of arrays, plain objects, Maps and Sets. */
function transferablesOf(root) {
  const found = new Set();
  const seen = new Set();
  const open = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const memory = ArrayBuffer.isView(value) ? value.buffer : value;
    if (types.isAnyArrayBuffer(memory)) {
      // Shared memory is shared anyway, and Node's pool of small Buffers is not theirs to give.
      if (types.isArrayBuffer(memory) && !isPooled(value, memory)) found.add(memory);
    } else if (value instanceof MessagePort) {
      found.add(value);
    } else if (types.isMap(value)) {
      for (const [key, item] of value) open.push(key, item);
    } else if (types.isSet(value)) {
      for (const item of value) open.push(item);
    } else if (Array.isArray(value) || isPlainObject(value)) {
      for (const key of Object.keys(value)) open.push(value[key]);
    }
  }
  return [...found];
}

function isPooled(value, memory) {
  return Buffer.isBuffer(value) && value.byteLength < memory.byteLength;
}

function isPlainObject(value) {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * The value as it will arrive, taken now: what is in `list` is detached here.
 *
 * @returns {{ isBundle: boolean, value: unknown, list: object[] }} to be posted on, once where `list` is not empty
 * @throws what Node throws for what cannot be cloned or transferred
 */
function takeAside(value, list) {
  return leaving(value, list, (sent, isBundle, given) => {
    const [taken, moved] = structuredClone([sent, given], { transfer: given });
    return { isBundle, value: taken, list: moved };
  });
}

/** What was taken aside, for this thread after all. */
function takeBack({ isBundle, value }) {
  return isBundle ? arrive(value) : value;
}

/** Lets go of what was taken aside and will not be sent: memory at once, and ports close. */
function discard({ list }) {
  if (list.length > 0) closedPort().postMessage(undefined, list);
}

/** Sends a value by `send(value, isBundle, list)`, with objects of ours in it ready to travel. */
function leaving(value, list, send) {
  const own = departure(value, list);
  return own === undefined ? send(value, false, [...list]) : own.leave((bundle, given) => send(bundle, true, [...given]));
}

module.exports = { AUTO, discard, leaving, move, takeAside, takeBack, transferablesOf };
