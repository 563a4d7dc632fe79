'use strict';

/**
 * The real clock and real timers: what all of our waits and limits go by.
 *
 * Test frameworks put false ones in their place, not only in the globals: sinon, vitest and node:test replace the
 * functions of `node:timers` and `process` too, perhaps before we are loaded. So the clock is the addon's own
 * (`performance.now` besides would make each worker load ten more modules of Node's), and timers are used only if they
 * prove to be Node's. They are kept on the binding, which outlives the module registries of Jest: it is enough that they
 * were real once.
 *
 * Relies on: a timer of Node's saying by `_destroyed` that it was ended (in Node 20 to 26).
 * Without: timers count as false, and those of v8-timers.js serve. In Bun and Deno the property says something else; there
 * the timers that are found are taken.
 * Test: __test__/runtime/clock.test.js, __test__/clock.test.js.
 */

const timers = require('node:timers');

const { keptOn } = require('./host-realm');
const { isNode } = require('./which');
const { binding } = require('../native');

/** Milliseconds on a clock that only goes forward; the same in every thread of the process. */
const { now } = binding;

/** A timer takes no more milliseconds than this. */
const LONGEST_TIMER = 2 ** 31 - 1;

const isCleared = (timer) => timer?._destroyed === true;

/** Whether these make and end timers of Node's: a false one has no such state. */
function areReal({ setTimeout, clearTimeout, setImmediate, clearImmediate }) {
  // There is no telling there.
  if (!isNode) return true;
  try {
    const timeout = setTimeout(() => {}, 1);
    clearTimeout(timeout);
    if (!isCleared(timeout)) return false;
    const immediate = setImmediate(() => {});
    // Node's function would count one that it does not know as ended.
    if (immediate?._destroyed !== false) return false;
    clearImmediate(immediate);
    return isCleared(immediate);
  } catch {
    return false;
  }
}

/** Those of `node:timers`; undefined when they are not Node's. */
function findTimers() {
  const { setTimeout, clearTimeout, setImmediate, clearImmediate } = timers;
  const found = { setTimeout, clearTimeout, setImmediate, clearImmediate };
  return areReal(found) ? found : undefined;
}

/** Registered: each copy of this file must find what the first has kept. */
const KEY = Symbol.for('rust-workers.timers');

module.exports = { LONGEST_TIMER, areReal, findTimers, now };

const { setTimeout, clearTimeout, setImmediate, clearImmediate } =
  keptOn(binding, KEY, module, (host) => host.findTimers()) ?? require('./v8-timers');

Object.assign(module.exports, { clearImmediate, clearTimeout, setImmediate, setTimeout });
