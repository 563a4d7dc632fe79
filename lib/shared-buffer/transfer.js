'use strict';

/** SharedBuffers and their views in messages of `Worker` and `parentPort`: the other side makes its own on the same memory. */

const { types } = require('node:util');

const { bufferOf } = require('../codec/bytes');
const { register } = require('../transfer/registry');
const { AtomicView, atomicView } = require('./atomic-view');
const { ELEMENT_TYPES } = require('./element-types');
const { SharedBuffer } = require('./shared-buffer');

register(SharedBuffer, {
  brand: 'SharedBuffer',
  is: SharedBuffer.isSharedBuffer,
  pack: SharedBuffer.memory,
  memory: SharedBuffer.memory,
  unpack: (buffer) => SharedBuffer.from(buffer),
});

register(AtomicView, {
  brand: 'AtomicView',
  is: AtomicView.isAtomicView,
  pack: ({ array, type }) => ({ array, type }),
  memory: AtomicView.memory,
  unpack({ array, type }) {
    if (array?.constructor !== ELEMENT_TYPES.get(type) || !types.isSharedArrayBuffer(bufferOf(array))) {
      throw new TypeError(`there is no view of type ${String(type)} in this record`);
    }
    return atomicView(array, type);
  },
});
