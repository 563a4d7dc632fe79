'use strict';

/** BullMQ, which the program installs: the core of rust-workers does without it. */

const { PeerNotFoundError } = require('../errors');

const HOW = "add it to your project: npm install bullmq@'>=5.64.0'";

function load() {
  try {
    return require('bullmq');
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND' || !/'bullmq'/.test(error.message)) throw error;
    throw new PeerNotFoundError(`rust-workers/bullmq needs the package 'bullmq' and cannot find it; ${HOW}`, { cause: error });
  }
}

const bullmq = load();

// Since 5.64 a processor is given a signal, and jobs can be cancelled.
if (typeof bullmq.Worker.prototype.cancelJob !== 'function') {
  throw new PeerNotFoundError(`rust-workers/bullmq needs bullmq 5.64.0 or later, and found an older one; ${HOW}`);
}

const { DelayedError, RateLimitError, UnrecoverableError, WaitingError, Worker } = bullmq;

module.exports = { DelayedError, RateLimitError, UnrecoverableError, WaitingError, Worker };
