'use strict';

/** The first code of a program in a child process or worker (see child.js). Nothing here loads the addon by itself. */

const { once } = require('node:events');
const { parentPort, threadId, Worker, workerData } = require('node:worker_threads');

module.exports = {
  once,
  parentPort,
  threadId,
  workerData,

  /** Loads the package; the addon too. */
  load: () => require('../..'),

  /** Prints a line; synchronously, so that it is out before any crash. */
  say: (...words) => require('node:fs').writeSync(1, `${words.join(' ')}\n`),

  /** A worker that runs `program`, given this module. */
  start: (program, workerOptions) =>
    new Worker(`(${program})(require(${JSON.stringify(__filename)}))`, { eval: true, ...workerOptions }),

  /** See until.js. */
  until: (...args) => require('./until').until(...args),

  after: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
