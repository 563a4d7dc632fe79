'use strict';

/** The notifier's Worker: takes requests from Rust threads and makes the `Atomics.notify` calls that they ask for. */

const { receiveMessageOnPort, workerData } = require('node:worker_threads');

const { binding } = require('../native');

const { notifier, port } = workerData;

/** region -> SharedArrayBuffer */
const buffers = new Map();

/** Receives the buffers that the parent has posted. The parent posts a buffer before a task can ask for it. */
function takeBuffers() {
  for (let posted = receiveMessageOnPort(port); posted; posted = receiveMessageOnPort(port)) {
    buffers.set(posted.message.region, posted.message.buffer);
  }
}

function notify({ region, offset, size, count }) {
  if (!buffers.has(region)) takeBuffers();
  const buffer = buffers.get(region);
  if (buffer === undefined) return 0;
  const cells = size === 8 ? new BigInt64Array(buffer, offset, 1) : new Int32Array(buffer, offset, 1);
  return Atomics.notify(cells, 0, count);
}

// Each turn calls a function of JavaScript: there V8 sees that this thread is to end.
for (let request; (request = binding.nextNotify(notifier)) !== null; ) {
  if (request !== undefined) binding.notified(notify(request));
  else takeBuffers();
}
