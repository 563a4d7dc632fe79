'use strict';

/** The JavaScript functions that `rustAtomics` needs, passed to the native side once for each environment. */

const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');
const { toBigInt } = require('./to-big-int');

const KEY = Symbol.for('rust-workers.atomics');

function give() {
  // No thread waits by `Atomics.wait` where a flag of V8 has removed `Atomics`.
  const notify = globalThis.Atomics?.notify ?? (() => 0);
  const counters = binding.openAtomics(toBigInt, () => {}, notify);
  return { counters: counters && new Int32Array(counters) };
}

/** @returns {{ counters?: Int32Array }} of waiters; see counted-notify.js */
const giveHelpers = () => keptOn(binding, KEY, module, (host) => host.give());

module.exports = { give, giveHelpers };
