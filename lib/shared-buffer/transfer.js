'use strict';

/** SharedBuffers and their views in messages of `Worker` and `parentPort`: the other side makes its own on the same memory. */

const { types } = require('node:util');

const { bufferOf } = require('../codec/bytes');
const { registerType } = require('../transfer/registry');
const { AtomicView, atomicView } = require('./atomic-view');
const { ELEMENT_TYPES } = require('./element-types');
const { SharedBuffer } = require('./shared-buffer');

registerType(SharedBuffer, {
  typeTag: 'SharedBuffer',
  is: SharedBuffer.isSharedBuffer,
  serialize: SharedBuffer.memory,
  memory: SharedBuffer.memory,
  deserialize: (buffer) => SharedBuffer.from(buffer),
});

registerType(AtomicView, {
  typeTag: 'AtomicView',
  is: AtomicView.isAtomicView,
  serialize: ({ array, type }) => ({ array, type }),
  memory: AtomicView.memory,
  deserialize({ array, type }) {
    if (array?.constructor !== ELEMENT_TYPES.get(type) || !types.isSharedArrayBuffer(bufferOf(array))) {
      throw new TypeError(`there is no view of type ${String(type)} in this record`);
    }
    return atomicView(array, type);
  },
});
