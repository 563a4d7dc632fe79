'use strict';

// What an object really is, whatever its prototype says.

const { types } = require('node:util');

const exotic = [
  ['isProxy', 'a Proxy'],
  ['isPromise', 'a Promise'],
  ['isWeakMap', 'a WeakMap'],
  ['isWeakSet', 'a WeakSet'],
  ['isGeneratorObject', 'a generator'],
  ['isMapIterator', 'a Map iterator'],
  ['isSetIterator', 'a Set iterator'],
  ['isModuleNamespaceObject', 'a module namespace'],
  ['isArgumentsObject', 'an arguments object'],
  ['isExternal', 'a native pointer'],
  ['isKeyObject', 'a KeyObject'],
  ['isCryptoKey', 'a CryptoKey'],
].filter(([test]) => typeof types[test] === 'function').map(([test, what]) => [types[test], what]);

// Platform classes by their global name; read once, lazily where Node makes them lazily.
const PLATFORM = [
  'WeakRef', 'FinalizationRegistry', 'MessagePort', 'MessageChannel', 'BroadcastChannel', 'Blob',
  'AbortSignal', 'AbortController', 'ReadableStream', 'WritableStream', 'TransformStream', 'CryptoKey',
  'Response', 'Request', 'FormData', 'Headers', 'EventTarget', 'Event', 'URL', 'URLSearchParams',
];

/** What a person would call an object that no thread but its own can use; null for an ordinary object. */
function exoticName(value) {
  for (const [test, what] of exotic) if (test(value)) return what;
  return null;
}

/** The same for platform objects; only asked about objects with a prototype of their own. */
function platformName(value) {
  for (const name of PLATFORM) {
    const Class = globalThis[name];
    if (typeof Class === 'function' && value instanceof Class) return `a ${name}`;
  }
  if (types.isRegExp(value)) return 'a RegExp';
  if (types.isBoxedPrimitive(value)) return 'a boxed primitive';
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const tag = Object.getOwnPropertyDescriptor(at, Symbol.toStringTag)?.value;
    if (typeof tag === 'string' && tag.startsWith('WebAssembly.')) return `a ${tag}`;
  }
  return null;
}

/** True for an object without inner slots, as `{}` makes them: what structured clone copies key by key. */
function isOrdinary(value) {
  return !types.isDate(value) && !types.isRegExp(value) && !types.isMap(value) && !types.isSet(value) &&
    !types.isNativeError(value) && !types.isBoxedPrimitive(value) && !types.isAnyArrayBuffer(value) &&
    !ArrayBuffer.isView(value) && exoticName(value) === null;
}

module.exports = { exoticName, platformName, isOrdinary };
