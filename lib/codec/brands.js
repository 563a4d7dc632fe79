'use strict';

// What an object really is, whatever its prototype says. Nothing here runs code of a program's: prototypes are looked
// at one by one, and not through a Proxy.

const { types } = require('node:util');

const { SafeWeakMap } = require('./intrinsics');
const { isView } = require('./bytes');

const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf, prototype: ObjectPrototype } = Object;
const { isProxy } = types;

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
].map(([test, what]) => [types[test], what]);
/** Node asks these by a property, and loads its crypto for it. */
const keyTests = [['isKeyObject', 'a KeyObject'], ['isCryptoKey', 'a CryptoKey']]
  .filter(([test]) => typeof types[test] === 'function').map(([test, what]) => [types[test], what]);

const PLATFORM = [
  'WeakRef', 'FinalizationRegistry', 'MessagePort', 'MessageChannel', 'BroadcastChannel', 'Blob', 'DOMException',
  'AbortSignal', 'AbortController', 'ReadableStream', 'WritableStream', 'TransformStream', 'CryptoKey',
  'Response', 'Request', 'FormData', 'Headers', 'EventTarget', 'Event', 'URL', 'URLSearchParams',
];
/** How Node names the methods of objects that it clones or transfers. */
const CLONED = 'messaging_clone_symbol';
const TRANSFERRED = 'messaging_transfer_symbol';

/** What a person would call an object that no thread but its own can use; null for an ordinary object. */
function exoticName(value) {
  for (let i = 0; i < exotic.length; i++) if (exotic[i][0](value)) return exotic[i][1];
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype || kin(value).hasProxy) return null;
  for (let i = 0; i < keyTests.length; i++) if (keyTests[i][0](value)) return keyTests[i][1];
  return null;
}

const ORDINARY = Object.freeze({ name: null, isError: false, isCarried: false, isCloned: false, hasProxy: false });
const PROXY = Object.freeze({ ...ORDINARY, hasProxy: true });
const ErrorPrototype = Error.prototype;
/** prototype → what is known of the objects that have it. */
const known = new SafeWeakMap();

/**
 * What the prototype of an object says.
 *
 * @returns {{ name: string | null, isError: boolean, isCarried: boolean, isCloned: boolean, hasProxy: boolean }} the
 *   platform class; whether it is one of errors; whether Node takes its objects to another thread, and even without a
 *   transfer list; whether a Proxy is among the prototypes
 */
function kin(value) {
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype) return ORDINARY;
  let facts = known.get(prototype);
  if (facts === undefined) known.set(prototype, (facts = look(prototype)));
  return facts;
}

function look(prototype) {
  let name = null;
  let isError = false;
  let isCarried = false;
  let isCloned = false;
  for (let at = prototype; at !== null; at = getPrototypeOf(at)) {
    if (isProxy(at)) return PROXY;
    name ??= platformClass(at);
    isError ||= at === ErrorPrototype;
    const symbols = getOwnPropertySymbols(at);
    for (let i = 0; i < symbols.length; i++) {
      const { description } = symbols[i];
      isCloned ||= description === CLONED;
      isCarried ||= description === CLONED || description === TRANSFERRED;
    }
  }
  if (isCarried) name ??= `a ${nameOf(prototype)}`;
  return name === null && !isError && !isCarried ? ORDINARY : { name, isError, isCarried, isCloned, hasProxy: false };
}

/** An own data property's text; undefined for anything else. */
function ownText(object, key) {
  const text = getOwnPropertyDescriptor(object, key)?.value;
  return typeof text === 'string' ? text : undefined;
}

/** The name of the class that a prototype, or the next one above it that has one, is of. */
function nameOf(prototype) {
  for (let at = prototype; at !== null && !isProxy(at); at = getPrototypeOf(at)) {
    const Class = getOwnPropertyDescriptor(at, 'constructor')?.value;
    const name = typeof Class === 'function' && !isProxy(Class) ? ownText(Class, 'name') : undefined;
    if (name !== undefined && name !== '') return name;
  }
  return 'Object';
}

const className = (value) => nameOf(getPrototypeOf(value));

function platformClass(prototype) {
  for (const name of PLATFORM) {
    // Where a getter stands Node has not loaded the global yet.
    const Class = getOwnPropertyDescriptor(globalThis, name)?.value;
    if (typeof Class === 'function' && Class.prototype === prototype) return `a ${name}`;
  }
  const tag = getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.value;
  return typeof tag === 'string' && tag.startsWith('WebAssembly.') ? `a ${tag}` : null;
}

/** What a person would call an object of the platform's or the language's that a task has no use for; or null. */
function platformName(value) {
  if (types.isRegExp(value)) return 'a RegExp';
  if (types.isBoxedPrimitive(value)) return 'a boxed primitive';
  return kin(value).name;
}

/** True for an object without inner slots, as `{}` makes them: what structured clone copies key by key. */
function isOrdinary(value) {
  return !types.isDate(value) && !types.isRegExp(value) && !types.isMap(value) && !types.isSet(value) &&
    !types.isNativeError(value) && !types.isBoxedPrimitive(value) && !types.isAnyArrayBuffer(value) &&
    !isView(value) && exoticName(value) === null;
}

module.exports = { className, exoticName, isOrdinary, kin, ownText, platformName };
