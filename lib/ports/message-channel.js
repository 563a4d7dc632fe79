'use strict';

const { MessageChannel: NodeMessageChannel } = require('../runtime/worker-threads');

const { define } = require('../runtime/intrinsics');
const { binding } = require('../native');
const { showState } = require('../inspection');
const { startSearching } = require('../transfer/registry');
const { validateBoolean, validateInteger, validateOptions } = require('../validators');
const { createPort } = require('./message-port');

const OPTIONS = new Set(['capacity', 'keepBuffers']);

/** A function and not a class, as Node's is: called without `new` it throws what Node's throws. */
function MessageChannel(options = {}) {
  if (new.target === undefined) return NodeMessageChannel();
  const { capacity = Infinity, keepBuffers = false } = validateOptions(options, 'options', OPTIONS);
  if (capacity !== Infinity) validateInteger(capacity, 'options.capacity', 1, 0xffffffff);
  validateBoolean(keepBuffers, 'options.keepBuffers');
  startSearching();
  const made = { capacity: capacity === Infinity ? 0 : capacity, keepBuffers };
  const { end1, end2 } = binding.openChannel(made.capacity);
  define(this, 'port1', createPort(end1, made));
  define(this, 'port2', createPort(end2, made));
}

showState(MessageChannel, ({ port1, port2 }) => ({ port1, port2 }));

module.exports = { MessageChannel };
