'use strict';

// Where in a value the trouble is. Runs only when a value has been refused: the writer keeps no path, so that
// values that pass do not pay for one.

const { types } = require('node:util');

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u;

const at = (path, key) =>
  typeof key === 'string' && identifier.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

function* children(value, path) {
  if (types.isProxy(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield [value[i], at(path, i)];
  } else if (types.isMap(value)) {
    let i = 0;
    for (const [key, item] of Map.prototype.entries.call(value)) {
      yield [key, `${path}.keys()[${i++}]`];
      const place = typeof key === 'string' ? `get(${JSON.stringify(key)})` : `values()[${i - 1}]`;
      yield [item, `${path}.${place}`];
    }
  } else if (types.isSet(value)) {
    let i = 0;
    for (const item of Set.prototype.values.call(value)) yield [item, `${path}.values()[${i++}]`];
  } else {
    for (const key of Object.keys(value)) yield [value[key], at(path, key)];
    if (types.isNativeError(value)) {
      for (const key of ['cause', 'errors']) {
        if (Object.hasOwn(value, key) && !Object.keys(value).includes(key)) yield [value[key], at(path, key)];
      }
    }
  }
}

const isObject = (value) => typeof value === 'object' && value !== null;

/**
 * The key path of the first place in `root` for which `wanted(value)` holds; null when there is none (a
 * getter gave something else the first time). No object is entered twice.
 */
function findPath(root, name, wanted) {
  const entered = new Set();
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
  const open = new Map();
  const closed = new Set();
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
