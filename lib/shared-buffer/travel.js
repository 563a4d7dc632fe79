'use strict';

/** SharedBuffers and their views in Node's own messages: the buffer is shared, and the face is made anew. */

const { register } = require('../travel');
const { AtomicView, atomicView } = require('./atomic-view');
const { SharedBuffer } = require('./shared-buffer');

register(SharedBuffer, {
  brand: 'SharedBuffer',
  pack: ({ buffer }) => buffer,
  unpack: (buffer) => SharedBuffer.from(buffer),
});

register(AtomicView, {
  brand: 'AtomicView',
  pack: ({ array, type }) => ({ array, type }),
  unpack: ({ array, type }) => atomicView(array, type),
});
