'use strict';

/** The package `multithreading` needs two names that Node 20 does not have, which are given to it here. */

async function openMultithreading(threads) {
  globalThis.navigator ??= { hardwareConcurrency: threads };
  Promise.withResolvers ??= function withResolvers() {
    let resolve;
    let reject;
    const promise = new this((...functions) => ([resolve, reject] = functions));
    return { promise, resolve, reject };
  };
  const package_ = await import('multithreading');
  package_.initRuntime({ maxWorkers: threads });
  return package_;
}

module.exports = { openMultithreading };
