'use strict';

/**
 * The output of workers comes by messages of Node's, and workers of a pool do not keep the process alive. So before
 * the process ends by itself, the event loop gets the turns that these messages need.
 */

const { setImmediate } = require('../runtime/clock');
const { hostCopy } = require('../runtime/host-realm');

/** Two: one in which Node takes all that has come, one for streams that pass it on. */
const TURNS = 2;

/** The pools whose tasks may have printed: functions that return how many tasks have ended, and the number seen last. */
const sources = new Map();
let watching = false;

function giveTurns(left) {
  if (left > 0) setImmediate(giveTurns, left - 1);
}

function watch() {
  if (watching) return;
  watching = true;
  process.on('beforeExit', () => {
    let news = false;
    for (const [ended, seen] of sources) {
      const now = ended();
      if (now !== seen) news = true;
      sources.set(ended, now);
    }
    if (news) giveTurns(TURNS);
  });
}

/** @param {() => number} ended how many tasks have ended so far */
function addSource(ended) {
  watch();
  sources.set(ended, ended());
}

/** @param {() => number} ended as it was given */
function removeSource(ended) {
  sources.delete(ended);
}

module.exports = { addSource, removeSource };

// Of the copy that outlives the realms of test files: a listener on `process` would keep the realm it is of.
const host = hostCopy(module);
if (host !== module.exports) module.exports = host;
