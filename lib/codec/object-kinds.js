'use strict';

// What an object really is, whatever its prototype says. Nothing here runs code of a program's: prototypes are looked
// at one by one, and not through a Proxy.

const { types } = require('node:util');

const { SafeMap, SafeWeakMap } = require('../runtime/intrinsics');
const { isView } = require('./bytes');
const { CLONED, ownMarksOf } = require('../runtime/clone-marks');
const nodeGlobals = require('../runtime/globals');

const { getOwnPropertyDescriptor, getPrototypeOf, prototype: ObjectPrototype } = Object;
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
if (typeof JSON.isRawJSON === 'function') exotic.push([JSON.isRawJSON, 'a raw JSON text']);
/** Node asks these by a property, and loads its crypto for it. */
const keyTests = [['isKeyObject', 'a KeyObject'], ['isCryptoKey', 'a CryptoKey']]
  .filter(([test]) => typeof types[test] === 'function').map(([test, what]) => [types[test], what]);

const PLATFORM = [
  'WeakRef', 'FinalizationRegistry', 'MessagePort', 'MessageChannel', 'BroadcastChannel', 'Blob', 'DOMException',
  'AbortSignal', 'AbortController', 'ReadableStream', 'WritableStream', 'TransformStream', 'CryptoKey',
  'Response', 'Request', 'FormData', 'Headers', 'EventTarget', 'Event', 'URL', 'URLSearchParams', 'URLPattern',
];
/** Those among them that are written in JavaScript, and what makes a bare object of each. */
const IN_JAVASCRIPT = new SafeMap(Object.entries({
  EventTarget: [], Event: ['a'], URL: ['a:'], URLSearchParams: [], AbortController: [], Headers: [], FormData: [],
  Response: [], Request: ['http://a'],
}));
/** Tags of the classes that V8 makes. */
const OPAQUE =
  /^(?:WebAssembly|Intl|Temporal)\.|Iterator$|^Iterator Helper$|^WeakRef$|^FinalizationRegistry$|DisposableStack$/;

/** What a person would call an object that no thread but its own can use; null for an ordinary object. */
function exoticName(value) {
  for (let i = 0; i < exotic.length; i++) if (exotic[i][0](value)) return exotic[i][1];
  const prototype = getPrototypeOf(value);
  if (prototype === null || prototype === ObjectPrototype || kin(value).hasProxy) return null;
  for (let i = 0; i < keyTests.length; i++) if (keyTests[i][0](value)) return keyTests[i][1];
  return null;
}

const ORDINARY = Object.freeze({
  name: null, isError: false, isCarried: false, isCloned: false, isOpaque: false, hasProxy: false,
});
const PROXY = Object.freeze({ ...ORDINARY, hasProxy: true });
const ErrorPrototype = Error.prototype;
/** prototype → what is known of the objects that have it. */
const known = new SafeWeakMap();

/**
 * What the prototype of an object says.
 *
 * @returns {{
 *   name: string | null, isError: boolean, isCarried: boolean, isCloned: boolean, isOpaque: boolean, hasProxy: boolean,
 * }} the platform class; whether it is one of errors; whether Node takes its objects to another thread, and even without
 *   a transfer list; whether V8 made the class, and takes or refuses its objects by their inner slots, whatever
 *   properties they have; whether a Proxy is among the prototypes
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
  let isOpaque = false;
  for (let at = prototype; at !== null; at = getPrototypeOf(at)) {
    if (isProxy(at)) return PROXY;
    const tag = getOwnPropertyDescriptor(at, Symbol.toStringTag)?.value;
    if (typeof tag === 'string' && OPAQUE.test(tag)) {
      isOpaque = true;
      name ??= `${/^[AI]/.test(tag) ? 'an' : 'a'} ${tag}`;
    }
    name ??= platformClass(at);
    isError ||= at === ErrorPrototype;
    const marks = ownMarksOf(at);
    isCloned ||= (marks & CLONED) !== 0;
    isCarried ||= marks !== 0;
  }
  if (isCarried) name ??= `a ${nameOf(prototype)}`;
  if (name === null && !isError && !isCarried) return ORDINARY;
  return { name, isError, isCarried, isCloned, isOpaque, hasProxy: false };
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
  const name = PLATFORM.find((known) => classOf(known)?.prototype === prototype);
  return name === undefined ? null : `a ${name}`;
}

/** A global class. Where a getter stands Node has not loaded it yet. */
function classOf(name) {
  const Class = getOwnPropertyDescriptor(globalThis, name)?.value;
  return typeof Class === 'function' ? Class : undefined;
}

/** name -> whether Node takes its objects for ordinary ones. */
const takenApart = new SafeMap();

/**
 * Whether structured clone copies the objects of this platform class, and of classes that extend it, key by key: Node has
 * marked some so that it refuses them, others in other versions.
 *
 * @param {string | null} name as `kin` gives it
 */
function isTakenApart(name) {
  if (name === null) return true;
  let answer = takenApart.get(name);
  if (answer === undefined) takenApart.set(name, (answer = askOfBare(name.slice(2))));
  return answer;
}

function askOfBare(name) {
  const values = IN_JAVASCRIPT.get(name);
  if (values === undefined) return false;
  try {
    const copy = nodeGlobals.structuredClone(Reflect.construct(classOf(name), values));
    return getPrototypeOf(copy) === ObjectPrototype;
  } catch {
    return false;
  }
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

module.exports = { className, exoticName, isOrdinary, isTakenApart, kin, ownText, platformName };
