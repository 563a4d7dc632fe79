'use strict';

/**
 * `NODE_DEBUG=rust-workers`: lines on stderr about the starts and ends of workers and threads, who ends them, and why. Without it a
 * line costs a call of an empty function, where a worker starts or ends.
 */

const { debuglog } = require('node:util');

const { binding } = require('./native');

const log = debuglog('rust-workers');

// The native side tells of its threads itself.
if (log.enabled) binding.logThreads();

module.exports = { log };
