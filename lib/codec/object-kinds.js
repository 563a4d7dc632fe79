'use strict';

// Tells which class an object is of, by its inner slots and its prototypes. Nothing here runs the program's code: each
// prototype is read by itself, and the reading stops at a Proxy.

const { types } = require('node:util');

const { SafeMap, SafeWeakMap } = require('../runtime/intrinsics');
const { isView } = require('./bytes');
const { CLONED, ownMarksOf } = require('../runtime/clone-marks');
const nodeGlobals = require('../runtime/globals');

const { getOwnPropertyDescriptor, getPrototypeOf, prototype: ObjectPrototype } = Object;
const { isProxy } = types;

/** Tests of `util.types` by name, those that the runtime has: Deno lacks `isExternal`. */
const existing = (tests) =>
  tests.filter(([test]) => typeof types[test] === 'function').map(([test, name]) => [types[test], name]);

const exotic = existing([
  ['isProxy', 'Proxy'],
  ['isPromise', 'Promise'],
  ['isWeakMap', 'WeakMap'],
  ['isWeakSet', 'WeakSet'],
  ['isGeneratorObject', 'generator'],
  ['isMapIterator', 'Map iterator'],
  ['isSetIterator', 'Set iterator'],
  ['isModuleNamespaceObject', 'module namespace'],
  ['isArgumentsObject', 'arguments object'],
  ['isExternal', 'native pointer'],
]);
if (typeof JSON.isRawJSON === 'function') exotic.push([JSON.isRawJSON, 'raw JSON text']);
/** These two tests come last: Node reads a property of the object for them, and loads its crypto. */
const keyTests = existing([['isKeyObject', 'KeyObject'], ['isCryptoKey', 'CryptoKey']]);

const PLATFORM = [
  'WeakRef', 'FinalizationRegistry', 'MessagePort', 'MessageChannel', 'BroadcastChannel', 'Blob', 'DOMException',
  'AbortSignal', 'AbortController', 'ReadableStream', 'WritableStream', 'TransformStream', 'CryptoKey',
  'Response', 'Request', 'FormData', 'Headers', 'EventTarget', 'Event', 'URL', 'URLSearchParams', 'URLPattern',
];
/** The platform classes that are written in JavaScript, each with arguments for its constructor. */
const IN_JAVASCRIPT = new SafeMap(Object.entries({
  EventTarget: [], Event: ['a'], URL: ['a:'], URLSearchParams: [], AbortController: [], Headers: [], FormData: [],
  Response: [], Request: ['http://a'],
}));
/** Tags (`Symbol.toStringTag`) of classes that V8 makes. */
const OPAQUE =
  /^(?:WebAssembly|Intl|Temporal)\.|Iterator$|^Iterator Helper$|^WeakRef$|^FinalizationRegistry$|DisposableStack$/;

/** The name, without an article, of an object that only its own thread can use; null for an ordinary object. */
function exoticName(value) {
  for (let i = 0; i < exotic.length; i++) if (exotic[i][0](value)) return exotic[i][1];
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype || classFacts(value).hasProxy) return null;
  for (let i = 0; i < keyTests.length; i++) if (keyTests[i][0](value)) return keyTests[i][1];
  return null;
}

const ORDINARY = Object.freeze({
  name: null, isError: false, isCarried: false, isCloned: false, isOpaque: false, hasProxy: false,
});
const PROXY = Object.freeze({ ...ORDINARY, hasProxy: true });
const ErrorPrototype = Error.prototype;
/** prototype → the facts about objects that have it. */
const known = new SafeWeakMap();

/**
 * The facts about an object that follow from its prototypes alone.
 *
 * @returns {{
 *   name: string | null, isError: boolean, isCarried: boolean, isCloned: boolean, isOpaque: boolean, hasProxy: boolean,
 * }} `name`: the platform class; `isError`: Error.prototype is among the prototypes; `isCarried`: Node can send such
 *   objects to another thread; `isCloned`: Node sends them without a transfer list too; `isOpaque`: V8 made the class, and
 *   accepts or refuses its objects by their inner slots, whatever properties they have; `hasProxy`: a Proxy is among the
 *   prototypes
 */
function classFacts(value) {
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype) return ORDINARY;
  let facts = known.get(prototype);
  if (facts === undefined) known.set(prototype, (facts = readPrototypes(prototype)));
  return facts;
}

function readPrototypes(prototype) {
  let name = null;
  let isError = false;
  let isCarried = false;
  let isCloned = false;
  let isOpaque = false;
  for (let at = prototype; at !== null; at = getPrototypeOf(at)) {
    if (isProxy(at)) return PROXY;
    const tag = getOwnPropertyDescriptor(at, Symbol.toStringTag)?.value;
    if (typeof tag === 'string' && OPAQUE.test(tag)) {
      isOpaque = true;
      name ??= tag;
    }
    name ??= platformClass(at);
    isError ||= at === ErrorPrototype;
    const marks = ownMarksOf(at);
    isCloned ||= (marks & CLONED) !== 0;
    isCarried ||= marks !== 0;
  }
  if (isCarried) name ??= nameOf(prototype);
  if (name === null && !isError && !isCarried) return ORDINARY;
  return { name, isError, isCarried, isCloned, isOpaque, hasProxy: false };
}

/** An own data property's text; undefined for anything else. */
function ownText(object, key) {
  const text = getOwnPropertyDescriptor(object, key)?.value;
  return typeof text === 'string' ? text : undefined;
}

/** The class name of the first prototype in the chain that has one. */
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
  return PLATFORM.find((known) => classOf(known)?.prototype === prototype) ?? null;
}

/** A global class; undefined while the global is a getter, since Node has not loaded the class then. */
function classOf(name) {
  const Class = getOwnPropertyDescriptor(globalThis, name)?.value;
  return typeof Class === 'function' ? Class : undefined;
}

/** class name -> whether structured clone copies its objects as ordinary ones. */
const takenApart = new SafeMap();

/**
 * Whether structured clone copies the objects of this platform class, and of classes that extend it, key by key. Node
 * has marked some classes as uncloneable, and each version has marked others, so this asks structured clone itself.
 *
 * @param {string | null} name as `classFacts` returns it
 */
function isTakenApart(name) {
  if (name === null) return true;
  let answer = takenApart.get(name);
  if (answer === undefined) takenApart.set(name, (answer = isCopiedByKeys(name)));
  return answer;
}

function isCopiedByKeys(name) {
  const values = IN_JAVASCRIPT.get(name);
  if (values === undefined) return false;
  try {
    const copy = nodeGlobals.structuredClone(Reflect.construct(classOf(name), values));
    return getPrototypeOf(copy) === ObjectPrototype;
  } catch {
    return false;
  }
}

/** The name, without an article, of a platform or built-in object that tasks do not accept; null for other objects. */
function platformName(value) {
  if (types.isRegExp(value)) return 'RegExp';
  if (types.isBoxedPrimitive(value)) return 'boxed primitive';
  return classFacts(value).name;
}

/** True for an object without inner slots, such as `{}`: structured clone copies it key by key. */
function isOrdinary(value) {
  return !types.isDate(value) && !types.isRegExp(value) && !types.isMap(value) && !types.isSet(value) &&
    !types.isNativeError(value) && !types.isBoxedPrimitive(value) && !types.isAnyArrayBuffer(value) &&
    !isView(value) && exoticName(value) === null;
}

module.exports = { className, exoticName, isOrdinary, isTakenApart, classFacts, ownText, platformName };
