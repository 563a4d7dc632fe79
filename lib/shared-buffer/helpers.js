'use strict';

/** The JavaScript functions that `rustAtomics` needs, passed to the native side once for each environment. */

const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');
const { toBigInt } = require('./to-big-int');

const KEY = Symbol.for('rust-workers.atomics');

function give() {
  // No thread waits by `Atomics.wait` where a flag of V8 has removed `Atomics`.
  const notify = globalThis.Atomics?.notify ?? (() => 0);
  binding.openAtomics(toBigInt, () => {}, notify);
  return true;
}

const giveHelpers = () => keptOn(binding, KEY, module, (host) => host.give());

module.exports = { give, giveHelpers };
