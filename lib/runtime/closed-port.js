'use strict';

/**
 * A closed port of Node's: what is posted to it is cloned, detached or refused as by any port, and dropped.
 *
 * Relies on: Node serializing a message before it looks whether the port is open (in Node 20 to 26).
 * Without: there would be nothing to ask for Node's own refusals. Deno looks first; a port whose other end is closed does the
 * same there.
 * Test: __test__/runtime/node-ports.test.js.
 */

const { isDeno } = require('./which');
const { MessageChannel: NodeMessageChannel } = require('./worker-threads');

let port;

function closedPort() {
  if (port === undefined) {
    const { port1, port2 } = new NodeMessageChannel();
    port = isDeno ? port2 : port1;
    port1.close();
  }
  return port;
}

module.exports = { closedPort };
