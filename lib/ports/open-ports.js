'use strict';

/**
 * The open ports of this environment by number, and the wakes that come for them.
 *
 * There is one table for each delivery: under Jest this file is loaded again for every test file, and a wake must find
 * the port whichever copy made it. An entry is an endpoint (endpoint.js): the table uses its `id` and `order`, and `due()`
 * and `room()`, which do not throw.
 *
 * Ports that are woken together get their turn as Node's do: in the order in which they were made, or came, here. And a
 * port that a listener of one wakes gets its turn in the same round if it stands behind that one.
 */

const { added } = require('../runtime/intrinsics');
const { deliveryOf } = require('../delivery');
const { EVENTS } = require('../constants');
const { binding } = require('../native');
const { keptOn } = require('../runtime/host-realm');

const KEY = Symbol.for('rust-workers.open-ports');

const delivery = deliveryOf(binding);

class OpenPorts extends Map {
  #made = 0;
  /** Of those that were woken together, the ones that are still to get their turn, in order. */
  #round = [];
  /** The port whose turn it is. */
  #current;

  add(endpoint) {
    endpoint.order = this.#made++;
    this.set(endpoint.id, endpoint);
  }

  /** Whether it is some port's turn. */
  get inRound() {
    return this.#current !== undefined;
  }

  /** A port of this thread was woken just now, from this thread: it gets its turn in this round if it can. */
  join(id) {
    const endpoint = this.get(id);
    if (endpoint === undefined || endpoint.order <= this.#current.order) return;
    const at = this.#round.findIndex(({ order }) => order >= endpoint.order);
    if (at < 0) this.#round = added(this.#round, endpoint);
    else if (this.#round[at] !== endpoint) this.#round.splice(at, 0, endpoint);
  }

  giveTurns(ids) {
    for (const id of ids) {
      const endpoint = this.get(id);
      if (endpoint !== undefined) this.#round = added(this.#round, endpoint);
    }
    if (this.#round.length > 1) this.#round.sort((a, b) => a.order - b.order);
    while (this.#round.length > 0) {
      const endpoint = this.#round.shift();
      this.#current = endpoint;
      if (this.get(endpoint.id) === endpoint) endpoint.due();
    }
    this.#current = undefined;
  }
}

/** Notes ports while a batch is read, and acts when it is through: that runs user code. */
function subject(act) {
  let ids = [];
  return {
    deliver(id) {
      ids = added(ids, id);
    },
    act() {
      if (ids.length === 0) return;
      const noted = ids;
      ids = [];
      act(noted);
    },
  };
}

function makeOpenPorts() {
  const ports = new OpenPorts();
  delivery.handler(EVENTS.PORT_DUE, () => subject((ids) => ports.giveTurns(ids)));
  delivery.handler(EVENTS.PORT_ROOM, () => subject((ids) => ids.forEach((id) => ports.get(id)?.room())));
  return ports;
}

module.exports = {
  delivery,
  makeOpenPorts,
  get ports() {
    return keptOn(delivery, KEY, module, (host) => host.makeOpenPorts());
  },
};
