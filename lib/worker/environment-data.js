'use strict';

/**
 * Environment data with objects of ours: Node clones the table for every new Worker. So for such a value Node's table
 * holds something that becomes a message when it is cloned, with the value as it is then; and this side remembers the
 * value, so that `get` returns the value that `set` got.
 */

const workerThreads = require('../runtime/worker-threads');

const { isSearching } = require('../transfer/registry');
const { sealEnvironmentData, unsealEnvironmentData } = require('../transfer/seal');
const { holdsOurs } = require('../transfer/search');
const { deserialize, serialize } = require('../transfer/serialization');
const { shared } = require('../transfer/thread-state');

const nodeGet = workerThreads.getEnvironmentData;
const nodeSet = workerThreads.setEnvironmentData;

/** An object that structured clone, reading one property after the other, makes a message of the value as it is now. */
function serializing(value) {
  let message;
  const now = () => {
    const serialized = serialize(value);
    return sealEnvironmentData(serialized === undefined ? { value, records: [] } : serialized.post((bundle) => bundle));
  };
  const face = {};
  const names = Object.keys(sealEnvironmentData({ value: undefined, records: [] }));
  names.forEach((name, i) => {
    const get = () => {
      if (i === 0) message = now();
      const part = message[name];
      if (i === names.length - 1) message = undefined;
      return part;
    };
    Object.defineProperty(face, name, { __proto__: null, get, enumerable: true });
  });
  shared.opened.set(face, value);
  return face;
}

/**
 * @param {unknown} key
 * @param {unknown} [value] `undefined` deletes
 */
function setEnvironmentData(key, value) {
  nodeSet(key, isSearching() && holdsOurs(value) ? serializing(value) : value);
}

/** @param {unknown} key */
function getEnvironmentData(key) {
  const value = nodeGet(key);
  if (shared.opened.has(value)) return shared.opened.get(value);
  const bundle = unsealEnvironmentData(value);
  if (bundle === undefined) return value;
  const data = deserialize(bundle);
  // Threads of this thread are to get it as it is when they are started.
  nodeSet(key, serializing(data));
  return data;
}

module.exports = { getEnvironmentData, setEnvironmentData };
