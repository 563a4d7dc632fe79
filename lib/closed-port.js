'use strict';

const { MessageChannel: NodeMessageChannel } = require('./runtime/worker-threads');

let port;

/** A closed port of Node's: what is posted to it is cloned, detached or refused as by any port, and dropped. */
function closedPort() {
  if (port === undefined) {
    port = new NodeMessageChannel().port1;
    port.close();
  }
  return port;
}

module.exports = { closedPort };
