'use strict';

/** Message channels. */

const { moveMessagePortToContext } = require('./context');
const { MessageChannel } = require('./message-channel');
const { MessagePort, RECEIVE } = require('./message-port');
const { carry } = require('./transfer');
const worker = require('../worker/parent-port');

/** Node's `receiveMessageOnPort`, for ports of ours too. */
function receiveMessageOnPort(port) {
  if (typeof port?.[RECEIVE] === 'function') return port[RECEIVE]();
  return worker.receiveMessageOnPort(port);
}

module.exports = { MessageChannel, MessagePort, carry, moveMessagePortToContext, receiveMessageOnPort };
