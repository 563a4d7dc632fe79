'use strict';

/** The first file of a script pool's worker: puts Node's own things in place, loads the script, and starts work. */

const { syncBuiltinESMExports } = require('node:module');
const workerThreads = require('node:worker_threads');

const { arrive, isMarked } = require('../travel');

/** What the crew gave, with objects of ours that the script's `workerData` holds. */
function readSetup(given) {
  if (!isMarked(given)) return given;
  // All classes there are: the script need not have loaded them.
  require('../..');
  return arrive(given);
}

const setup = readSetup(workerThreads.workerData);
// The script sees its own.
workerThreads.workerData = setup.workerData;
syncBuiltinESMExports();

const { loadScript } = require('./load-script');
const { Runner } = require('./runner');

const runner = new Runner(setup, workerThreads.parentPort);
// Not `await`: a script that throws while it is loaded shall end the worker as it would end any other.
const exported = loadScript(setup.script);
if (typeof exported?.then === 'function' && exported[Symbol.toStringTag] !== 'Module') {
  exported.then((namespace) => runner.start(namespace));
} else {
  runner.start(exported);
}
