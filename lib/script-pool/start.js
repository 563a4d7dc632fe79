'use strict';

/** The main file of a script pool's worker: puts Node's own objects in place, loads the script, and starts work. */

const workerThreads = require('node:worker_threads');

/**
 * @param {{
 *   runAsMain(file: string): { exports: unknown } | undefined,
 *   importUrl(url: string): Promise<object>,
 *   syncBuiltinESMExports(): void,
 * }} loader see runtime/bootstrap.js
 */
module.exports = (loader) => {
  require('../transferable-types');
  const setup = workerThreads.workerData;
  const [isBundle, workerData] = setup.workerData;
  // The script sees its own.
  workerThreads.workerData = isBundle ? require('../transfer/serialization').deserialize(workerData) : workerData;
  loader.syncBuiltinESMExports();

  // Before the script can take the function.
  if (workerThreads.markAsUncloneable !== undefined) require('../runtime/clone-marks');

  const { loadScript, whenExported } = require('./load-script');
  const { Runner } = require('./runner');

  const runner = new Runner(setup, workerThreads.parentPort, loader.importUrl);
  const start = (exported) => runner.start(exported);
  const failed = (error) => runner.life.failedToLoad(error);
  let exported;
  try {
    exported = loadScript(setup, loader);
  } catch (error) {
    failed(error);
    // As in any other Worker.
    throw error;
  }
  // Not `await`: a script that is loaded at once starts at once.
  whenExported(exported, start, failed);
};
