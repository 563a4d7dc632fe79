'use strict';

/**
 * The open ports of this environment by number, and the wakes that come for them.
 *
 * There is one table for each delivery: under Jest this file is loaded again for every test file, and a wake must find
 * the port whichever copy made it. An entry has `id`, `peerId`, `order`, `half` (of the companion) and `isLost`, and
 * `due()`, `room()` and `finish()`, which do not throw.
 *
 * Ports that are woken together get their turn as Node's do: in the order in which they were made, or came, here. And a
 * port that a listener of one wakes gets its turn in the same round if it stands behind that one.
 */

const { added } = require('../runtime/intrinsics');
const { binding } = require('../native');
const { deliveryOf } = require('../delivery');
const FORMS = require('../forms');
const { keptOn } = require('../runtime/host-realm');

const KEY = Symbol.for('rust-workers.port-table');

const delivery = deliveryOf(binding);

class Table extends Map {
  #made = 0;
  /** Of those that were woken together, the ones that are still to get their turn, in order. */
  #round = [];
  /** The port whose turn it is. */
  #current;

  add(entry) {
    entry.order = this.#made++;
    this.set(entry.id, entry);
  }

  /** Whether it is some port's turn. */
  get inRound() {
    return this.#current !== undefined;
  }

  /** A port of this thread was woken just now, from this thread: it gets its turn in this round if it can. */
  join(id) {
    const entry = this.get(id);
    if (entry === undefined || entry.order <= this.#current.order) return;
    const at = this.#round.findIndex(({ order }) => order >= entry.order);
    if (at < 0) this.#round = added(this.#round, entry);
    else if (this.#round[at] !== entry) this.#round.splice(at, 0, entry);
  }

  giveTurns(ids) {
    for (const id of ids) {
      const entry = this.get(id);
      if (entry !== undefined) this.#round = added(this.#round, entry);
    }
    if (this.#round.length > 1) this.#round.sort((a, b) => a.order - b.order);
    while (this.#round.length > 0) {
      const entry = this.#round.shift();
      this.#current = entry;
      if (this.get(entry.id) === entry) entry.due();
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

function makeTable() {
  const table = new Table();
  delivery.subject(FORMS.PORT_DUE, () => subject((ids) => table.giveTurns(ids)));
  delivery.subject(FORMS.PORT_ROOM, () => subject((ids) => ids.forEach((id) => table.get(id)?.room())));
  return table;
}

module.exports = {
  delivery,
  makeTable,
  get ports() {
    return keptOn(delivery, KEY, module, (host) => host.makeTable());
  },
};
