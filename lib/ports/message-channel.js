'use strict';

const { binding } = require('../native');
const { InvalidArgTypeError } = require('../errors');
const { wake } = require('../travel');
const { validateInteger, validateObject } = require('../validators');
const { MessagePort, PRIVATE } = require('./message-port');

class MessageChannel {
  constructor(options = {}) {
    validateObject(options, 'options');
    const { capacity = Infinity, keepBuffers = false } = options;
    if (capacity !== Infinity) validateInteger(capacity, 'options.capacity', 1, 0xffffffff);
    if (typeof keepBuffers !== 'boolean') {
      throw new InvalidArgTypeError('The "options.keepBuffers" argument must be true or false');
    }
    wake();
    const terms = { capacity: capacity === Infinity ? 0 : capacity, keepBuffers };
    const [end1, end2] = binding.openChannel(terms.capacity);
    this.port1 = new MessagePort(PRIVATE, end1, terms);
    this.port2 = new MessagePort(PRIVATE, end2, terms);
  }
}

module.exports = { MessageChannel };
