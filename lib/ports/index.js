'use strict';

/** Message channels. */

require('./transfer');
const { moveMessagePortToContext } = require('./context');
const { MessageChannel } = require('./message-channel');
const { MessagePort } = require('./message-port');

module.exports = { MessageChannel, MessagePort, moveMessagePortToContext };
