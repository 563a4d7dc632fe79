'use strict';

/**
 * The objects that programs know as globals, as Node itself made them. They are taken once, from Node's modules and from
 * objects that these return.
 *
 * The globals will not do. In a realm that a test framework made (jsdom, happy-dom, `vm`) they are missing, or belong to
 * the page: Node's event targets refuse the page's events. And polyfills and fake timers replace them.
 *
 * Relies on: the source of Node's `nextTick`, `queueMicrotask` and `structuredClone` (in Node 20 to 26); the class of the
 * objects that Node's own functions return or throw.
 * Without: a function of ours that does the same (`soon`, `cloneByChannel`); for a class, the global. On Bun and Deno, where
 * nothing tells whose these are, all are those that are found.
 * Test: __test__/runtime/globals.test.js, __test__/realms.test.js.
 */

const { isNode } = require('./which');

/** The source of a function. */
const sourceOf = (value) => (typeof value === 'function' ? Function.prototype.toString.call(value) : '');

/** Whether a function that runs another soon is Node's own, by how those of Node 20 to 26 begin. */
const isNodes = (value) => !isNode || sourceOf(value).includes("validateFunction(callback, 'callback')");

/** In place of those that are not: nobody replaces the end of an `await`. */
async function soon(run, ...args) {
  await undefined;
  try {
    run(...args);
  } catch (error) {
    require('../native').binding.throwUncaught(error);
  }
}

/** The globals of Node's own realm, however they are by now. */
const hostGlobal = () => require('../native').binding.hostGlobal();

/** A clone as Node 20 makes it, where somebody has put another `structuredClone`. */
function cloneByChannel(value, { transfer } = {}) {
  const { MessageChannel, receiveMessageOnPort } = require('./worker-threads');
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(value, transfer);
    return receiveMessageOnPort(port2).message;
  } finally {
    port1.close();
  }
}

/** How to get each, when it is first read: to load what Node loads with some of them takes a new worker time. */
const sources = {
  AbortController: () => require('node:util').transferableAbortController().constructor,
  DOMException() {
    try {
      return require('node:buffer').atob('%').constructor;
    } catch (error) {
      return error.constructor;
    }
  },
  EventTarget: () => Object.getPrototypeOf(require('./node-ports').NodeEventTarget),
  Event: () => require('./node-ports').Event,
  MessageEvent: () => require('./node-ports').createEvent.call({}, undefined, 'message').constructor,
  structuredClone() {
    // Node 22 and later call `nativeStructuredClone`; before, the function is native itself.
    const isNodes = (value) => /nativeStructuredClone\(|^function structuredClone\(\) \{ \[native code\]/.test(sourceOf(value));
    return [globalThis, hostGlobal()].map((realm) => realm.structuredClone).find(isNodes) ?? cloneByChannel;
  },
};

/** On a runtime that is Node in part there may be no such way: then the global. */
function take(name) {
  if (!isNode) return globalThis[name];
  try {
    return sources[name]() ?? globalThis[name];
  } catch {
    return globalThis[name];
  }
}

/** @param {string} message what Node says of a value that cannot be cloned, or transferred */
const dataCloneError = (message) => new module.exports.DOMException(message, 'DataCloneError');

module.exports = {
  dataCloneError,
  nextTick: isNodes(process.nextTick) ? process.nextTick : soon,
  queueMicrotask: isNodes(globalThis.queueMicrotask) ? globalThis.queueMicrotask : soon,
};

for (const name of Object.keys(sources)) {
  Object.defineProperty(module.exports, name, {
    get() {
      const value = take(name);
      Object.defineProperty(module.exports, name, { value });
      return value;
    },
    enumerable: true,
    configurable: true,
  });
}
