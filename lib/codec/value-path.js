'use strict';

// Where in a value the trouble is. Runs only when a value has been refused: the writer keeps no path, so that
// values that pass do not pay for one.

const { types } = require('node:util');

const { isView } = require('./bytes');
const { SafeMap, SafeSet, isArray, mapForEach, setForEach } = require('../runtime/intrinsics');

const { getOwnPropertyDescriptor, keys: keysOf } = Object;

/** Made when it is needed: V8 takes half a millisecond to look up the names, on each thread. */
let identifier;
const isIdentifier = (key) => (identifier ??= new RegExp('^[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*$', 'u')).test(key);

const at = (path, key) =>
  typeof key === 'string' && isIdentifier(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

/** The values inside, with their paths. Getters have run, and do not run again: their values are not searched. */
function* children(value, path) {
  if (types.isProxy(value) || isView(value) || types.isAnyArrayBuffer(value)) return;
  if (isArray(value)) {
    for (let i = 0; i < value.length; i++) yield* property(value, `${i}`, `${path}[${i}]`);
  } else if (types.isMap(value)) {
    const entries = [];
    mapForEach.call(value, (item, key) => entries.push([key, item]));
    for (let i = 0; i < entries.length; i++) {
      const [key, item] = entries[i];
      yield [key, `${path}.keys()[${i}]`];
      yield [item, `${path}.${typeof key === 'string' ? `get(${JSON.stringify(key)})` : `values()[${i}]`}`];
    }
  } else if (types.isSet(value)) {
    const items = [];
    setForEach.call(value, (item) => items.push(item));
    for (let i = 0; i < items.length; i++) yield [items[i], `${path}.values()[${i}]`];
  } else {
    const keys = keysOf(value);
    if (types.isNativeError(value)) for (const key of ['cause', 'errors']) if (!keys.includes(key)) keys.push(key);
    for (const key of keys) yield* property(value, key, at(path, key));
  }
}

function* property(object, key, path) {
  const descriptor = getOwnPropertyDescriptor(object, key);
  if (descriptor !== undefined && Object.hasOwn(descriptor, 'value')) yield [descriptor.value, path];
}

const isObject = (value) => typeof value === 'object' && value !== null;

/**
 * The key path of the first place in `root` for which `wanted(value)` holds; null when there is none, since a getter
 * returned the value. No object is entered twice.
 */
function findPath(root, name, wanted) {
  const entered = new SafeSet();
  const stack = [[[root, name]][Symbol.iterator]()];
  while (stack.length > 0) {
    const { value: step, done } = stack[stack.length - 1].next();
    if (done) {
      stack.pop();
      continue;
    }
    const [value, path] = step;
    if (wanted(value, stack.length - 1)) return path;
    if (isObject(value) && !entered.has(value)) {
      entered.add(value);
      stack.push(children(value, path));
    }
  }
  return null;
}

/** The first cycle: the path that leads back and the path it leads to; null when there is none. */
function findCycle(root, name) {
  const open = new SafeMap();
  const closed = new SafeSet();
  const stack = [{ value: root, path: name, steps: children(root, name) }];
  open.set(root, name);
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const { value: step, done } = top.steps.next();
    if (done) {
      stack.pop();
      open.delete(top.value);
      closed.add(top.value);
      continue;
    }
    const [value, path] = step;
    if (!isObject(value) || closed.has(value)) continue;
    if (open.has(value)) return { from: path, to: open.get(value) };
    open.set(value, path);
    stack.push({ value, path, steps: children(value, path) });
  }
  return null;
}

module.exports = { findPath, findCycle };
