'use strict';

/**
 * Environment data with objects of ours: Node clones the table for every new Worker. So for such a value Node's table
 * holds something that becomes a message when it is cloned, with the value as it is then; and this side remembers the
 * value, so that `get` gives back what `set` was given.
 */

const workerThreads = require('../runtime/worker-threads');

const { arrive, departure } = require('../transfer');
const { sealStanding, unsealStanding } = require('../transfer/seal');
const { isAwake } = require('../transfer/registry');
const { holdsTraveler } = require('../transfer/search');
const { shared } = require('../transfer/thread-state');

const nodeGet = workerThreads.getEnvironmentData;
const nodeSet = workerThreads.setEnvironmentData;

/** An object that structured clone, reading one property after the other, makes a message of the value as it is now. */
function departing(value) {
  let message;
  const now = () => {
    const leaving = departure(value);
    return sealStanding(leaving === undefined ? { value, records: [] } : leaving.leave((bundle) => bundle));
  };
  const face = {};
  const names = Object.keys(sealStanding({ value: undefined, records: [] }));
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
  nodeSet(key, isAwake() && holdsTraveler(value) ? departing(value) : value);
}

/** @param {unknown} key */
function getEnvironmentData(key) {
  const value = nodeGet(key);
  if (shared.opened.has(value)) return shared.opened.get(value);
  const bundle = unsealStanding(value);
  if (bundle === undefined) return value;
  const data = arrive(bundle);
  // Threads of this thread are to get it as it is when they are started.
  nodeSet(key, departing(data));
  return data;
}

module.exports = { getEnvironmentData, setEnvironmentData };
