'use strict';

/**
 * Environment data with objects of ours: Node copies the table to every new Worker, by structured clone. Node's table
 * holds a message then, and this side remembers the object, so that `get` gives back what `set` was given.
 */

const workerThreads = require('../node-threads');

const { arrive, departure, seal, unseal } = require('../travel');

const nodeGet = workerThreads.getEnvironmentData;
const nodeSet = workerThreads.setEnvironmentData;

/** What a message in Node's table stands for. */
const originals = new WeakMap();

/**
 * @param {unknown} key
 * @param {unknown} [value] `undefined` deletes
 */
function setEnvironmentData(key, value) {
  const leaving = departure(value);
  if (leaving === undefined) return nodeSet(key, value);
  return leaving.leave((bundle) => {
    const message = seal(bundle);
    originals.set(message, value);
    nodeSet(key, message);
  });
}

/** @param {unknown} key */
function getEnvironmentData(key) {
  const value = nodeGet(key);
  const bundle = unseal(value);
  if (bundle === undefined) return value;
  if (!originals.has(value)) originals.set(value, arrive(bundle));
  return originals.get(value);
}

module.exports = { getEnvironmentData, setEnvironmentData };
