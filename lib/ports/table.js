'use strict';

/**
 * The open ports of this environment by number, and the wakes that come for them.
 *
 * There is one table for each delivery: under Jest this file is loaded again for every test file, and a wake must find
 * the port whichever copy made it. An entry has `id`, `peerId`, `order`, `half` (of the companion), `due()` and `room()`,
 * which do not throw.
 */

const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const FORMS = require('../forms');

const KEY = Symbol.for('rust-workers.port-table');

const delivery = deliveryOf(binding);

/**
 * Notes ports while a batch is read, and calls one of their methods when it is through: that runs user code. As with
 * Node's ports, those that were woken together get their turn in the order in which they were made (or came) here.
 */
function subject(ports, method) {
  let waiting = [];
  return {
    deliver(id) {
      const entry = ports.get(id);
      if (entry !== undefined) waiting.push(entry);
    },
    act() {
      if (waiting.length === 0) return;
      const entries = waiting;
      waiting = [];
      if (entries.length > 1) entries.sort((a, b) => a.order - b.order);
      for (const entry of entries) if (ports.get(entry.id) === entry) entry[method]();
    },
  };
}

function tableOf() {
  if (delivery[KEY] === undefined) {
    const ports = new Map();
    /** How many there were so far: the order of the next. */
    ports.made = 0;
    delivery.subject(FORMS.PORT_DUE, () => subject(ports, 'due'));
    delivery.subject(FORMS.PORT_ROOM, () => subject(ports, 'room'));
    Object.defineProperty(delivery, KEY, { value: ports });
  }
  return delivery[KEY];
}

const ports = tableOf();

function add(entry) {
  entry.order = ports.made++;
  ports.set(entry.id, entry);
}

module.exports = { add, delivery, ports };
