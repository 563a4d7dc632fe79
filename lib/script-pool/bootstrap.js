'use strict';

/** The first file of a script pool's worker: puts Node's own things in place, loads the script, and starts work. */

const { syncBuiltinESMExports } = require('node:module');
const workerThreads = require('node:worker_threads');

const setup = workerThreads.workerData;
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
