'use strict';

/**
 * The open ports of this environment by number, and the wakes that come for them.
 *
 * There is one table for each delivery: under Jest this file is loaded again for every test file, and a wake must find
 * the port whichever copy made it. An entry has `port`, `due()` and `room()`.
 */

const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const FORMS = require('../forms');
const { keptOn } = require('../host');

const KEY = Symbol.for('rust-workers.port-table');

const delivery = deliveryOf(binding);

/** Notes ports while a batch is read, and calls one of their methods when it is through: that runs user code. */
function subject(ports, method) {
  let waiting = [];
  return {
    deliver(id) {
      waiting.push(id);
    },
    act() {
      if (waiting.length === 0) return;
      const ids = waiting;
      waiting = [];
      for (const id of ids) ports.get(id)?.[method]();
    },
  };
}

function makeTable() {
  const ports = new Map();
  delivery.subject(FORMS.PORT_DUE, () => subject(ports, 'due'));
  delivery.subject(FORMS.PORT_ROOM, () => subject(ports, 'room'));
  return ports;
}

module.exports = {
  delivery,
  makeTable,
  get ports() {
    return keptOn(delivery, KEY, module, (host) => host.makeTable());
  },
};
