'use strict';

/**
 * The properties in which an AsyncResource keeps its async context.
 *
 * Relies on: an AsyncResource having, as properties under symbols, its numbers and, where there is one, the value of each
 * AsyncLocalStorage or the whole context frame (in Node 20 to 26; nothing else shows whether there is a context).
 * Without: `hasContext` says no, and listeners of a port run in the context of the delivery. On Bun and Deno, which keep the
 * context where nobody sees it, it says yes.
 * Test: __test__/runtime/async-context.test.js.
 */

const { AsyncResource } = require('node:async_hooks');

const { isNode } = require('./which');

const sample = new AsyncResource('RUST_WORKERS_PORTS');
/** The names of what an AsyncResource keeps. */
const HIDDEN = new Set(Object.getOwnPropertySymbols(sample));
/** Those that are there in every async context: numbers. */
const NUMBERS = new Set([...HIDDEN].filter((key) => typeof sample[key] === 'number'));
// Otherwise Jest reports an open handle.
sample.emitDestroy();

/**
 * Whether code would notice in which async context the functions of a new resource run: there is a context (that of an
 * AsyncLocalStorage), or there are hooks. Node keeps either in the object itself.
 *
 * @param {AsyncResource} resource
 * @param {Set<PropertyKey>} own what it has besides
 */
function hasContext(resource, own) {
  if (!isNode) return true;
  return Object.getOwnPropertySymbols(resource)
    .some((key) => resource[key] !== undefined && !NUMBERS.has(key) && !own.has(key));
}

module.exports = { HIDDEN, hasContext };
