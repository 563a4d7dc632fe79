'use strict';

/**
 * Lets native tasks wake threads that wait by plain `Atomics.wait`: only a JavaScript thread can wake them, and the one
 * that submitted the task may be waiting itself. So a Worker does it, which does nothing else. The first task that may need
 * the Worker starts it; the Worker never keeps the process alive, and is never in its event loop (notifier-thread.js).
 *
 * A task is submitted only after the Worker was started and sent the buffer; a Worker starts while its parent waits.
 */

const path = require('node:path');
const { MessageChannel, Worker } = require('../runtime/worker-threads');

const { keptOn } = require('../runtime/host-realm');
const { binding } = require('../native');
const { regionHandle } = require('./region-handle');

const KEY = Symbol.for('rust-workers.notifier');

class Notifier {
  #worker;
  #port;
  #number = binding.openNotifier();
  /** Regions of the buffers that the Worker has, by number. They stay: the Worker keeps the memory too. */
  #regions = new Map();

  constructor() {
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    this.#port = port1;
    this.#worker = new Worker(`${__dirname}${path.sep}notifier-thread.js`, {
      workerData: { notifier: this.#number, port: port2 },
      transferList: [port2],
      execArgv: [],
      stdin: false,
      name: 'rust-workers-notifier',
    });
    this.#worker.unref();
    // Without the Worker, native tasks wake no plain `Atomics.wait`, and their count shows that.
    this.#worker.on('error', () => {});
    // Node joins its Workers before it ends, and this Worker would notice only after its slice of sleep.
    process.on('exit', () => binding.closeNotifier());
  }

  serve(buffer) {
    const handle = regionHandle(buffer);
    if (this.#regions.has(handle.number)) return;
    this.#regions.set(handle.number, handle);
    const region = binding.regionId(handle.number);
    this.#port.postMessage({ region, buffer });
    binding.serveRegion(handle.number);
  }
}

/** Lets native tasks wake threads that wait on this buffer by `Atomics.wait`. */
function wakePlainWaiters(buffer) {
  keptOn(binding, KEY, module, (host) => new host.Notifier()).serve(buffer);
}

module.exports = { Notifier, wakePlainWaiters };
