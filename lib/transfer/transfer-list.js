'use strict';

/** Reads transfer lists as Node reads them. A bad one is left to Node, which throws the right error. */

const { append } = require('../runtime/intrinsics');

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** By index, as Node reads an array, whatever has become of its iterator. */
function elementsOf(array) {
  const elements = [];
  for (let i = 0, { length } = array; i < length; i++) append(elements, array[i]);
  return elements;
}

/** The entries of an iterable; undefined for what Node does not take as one. Errors of the iterable itself are thrown. */
function entriesOf(iterable) {
  if (Array.isArray(iterable)) return elementsOf(iterable);
  if (!isObject(iterable)) return undefined;
  const method = iterable[Symbol.iterator];
  if (typeof method !== 'function') return undefined;
  const iterator = method.call(iterable);
  if (!isObject(iterator)) return undefined;
  const { next } = iterator;
  if (typeof next !== 'function') return undefined;
  const entries = [];
  for (;;) {
    const result = next.call(iterator);
    if (!isObject(result)) return undefined;
    if (result.done) return entries;
    append(entries, result.value);
  }
}

/**
 * The transfer list of `postMessage(value, list)` or `postMessage(value, { transfer: list })`.
 *
 * @param {unknown} transfer
 * @returns {unknown[] | undefined} empty for none; undefined for what Node refuses
 */
function listOf(transfer) {
  if (transfer === undefined || transfer === null) return [];
  if (!isObject(transfer)) return undefined;
  const entries = entriesOf(transfer);
  if (entries !== undefined) return entries;
  const option = transfer.transfer;
  return option === undefined ? [] : entriesOf(option);
}

module.exports = { listOf };
