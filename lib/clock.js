'use strict';

/**
 * Milliseconds on a clock that only goes forward. Not `performance.now()`, which is as quick: the first look at
 * `performance` makes Node load ten modules, which is a good part of what our share of a worker's start takes.
 */

const { clearImmediate, clearTimeout, setImmediate, setTimeout } = require('node:timers');

const { hrtime } = process;

function now() {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

module.exports = { clearImmediate, clearTimeout, now, setImmediate, setTimeout };
