'use strict';

/**
 * Lets native tasks wake threads that wait by plain `Atomics.wait`: only a JavaScript thread can wake them, and the one
 * that submitted the task may be waiting itself. So a Worker of its own does it: started by the first task that may need it, never
 * keeping the process alive, and never in its event loop (notifier-thread.js).
 *
 * A task is submitted only after the Worker was started and sent the buffer; a Worker starts while its parent waits.
 */

const path = require('node:path');
const { Worker } = require('../runtime/worker-threads');

const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');
const { regionHandle } = require('./region-handle');

const KEY = Symbol.for('rust-workers.notifier');

class Notifier {
  #worker;
  #desk = binding.openNotifier();
  /** Regions of the buffers that it has been given, by number. They stay: the Worker holds the memory too. */
  #regions = new Map();

  constructor() {
    this.#worker = new Worker(path.join(__dirname, 'notifier-thread.js'), {
      workerData: { desk: this.#desk },
      execArgv: [],
      stdin: false,
      name: 'rust-workers-notifier',
    });
    this.#worker.unref();
    // Without it native tasks wake no plain `Atomics.wait`, and say so by their count.
    this.#worker.on('error', () => {});
    // Node joins its Workers before it ends: this one would see that at the end of its slice of sleep only.
    process.on('exit', () => binding.closeNotifier());
  }

  serve(buffer) {
    const handle = regionHandle(buffer);
    if (this.#regions.has(handle.number)) return;
    this.#regions.set(handle.number, handle);
    const region = binding.regionId(handle.number);
    this.#worker.postMessage({ region, buffer });
    binding.serveRegion(handle.number);
  }
}

/** Lets native tasks wake threads that wait on this buffer by `Atomics.wait`. */
function wakePlainWaiters(buffer) {
  keptOn(binding, KEY, module, (host) => new host.Notifier()).serve(buffer);
}

module.exports = { Notifier, wakePlainWaiters };
