'use strict';

/** Shared values in messages: the other side gets a handle of its own on the same memory. */

const { registerType } = require('../transfer/registry');
const { SharedValue, isSharedValue, memoryOf, over } = require('./shared-value');

registerType(SharedValue, {
  typeTag: 'SharedValue',
  is: isSharedValue,
  // Otherwise the receiving end of a port would keep the memory for messages to come (lib/ports/shared-memory.js).
  byNode: true,
  serialize: memoryOf,
  deserialize: ({ memory, bytes }) => over(memory, bytes),
});
