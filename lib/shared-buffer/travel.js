'use strict';

/** SharedBuffers and their views in messages of `Worker` and `parentPort`: the other side makes its own on the same memory. */

const { register } = require('../travel/registry');
const { AtomicView, atomicView } = require('./atomic-view');
const { SharedBuffer } = require('./shared-buffer');

register(SharedBuffer, {
  brand: 'SharedBuffer',
  pack: (shared) => shared.buffer,
  unpack: (buffer) => SharedBuffer.from(buffer),
});

register(AtomicView, {
  brand: 'AtomicView',
  pack: ({ array, type }) => ({ array, type }),
  unpack: ({ array, type }) => atomicView(array, type),
});
