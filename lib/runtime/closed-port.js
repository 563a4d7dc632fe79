'use strict';

/**
 * A closed port of Node's: what is posted to it is cloned, detached or refused as by any port, and dropped.
 *
 * Relies on: Node serializing a message before it looks whether the port is open (in Node 20 to 26).
 * Without: there would be nothing to ask for Node's own refusals; a runtime of another kind has to give an own port whose
 * other end is closed.
 * Test: __test__/runtime/node-ports.test.js.
 */

const { MessageChannel: NodeMessageChannel } = require('./worker-threads');

let port;

function closedPort() {
  if (port === undefined) {
    port = new NodeMessageChannel().port1;
    port.close();
  }
  return port;
}

module.exports = { closedPort };
