'use strict';

/**
 * Objects of ours in messages to a Worker that the Worker did not read before it ended.
 *
 * Node closes the ports of a message that is lost, and ours learn of it by that (ports/fallback.js). Where the runtime does
 * not, what was sent to a Worker is remembered, and let go of when the Worker has ended, if nobody has claimed it.
 */

const { closesLostPorts, onChannelEnd } = require('../runtime/worker-channel');
const { typeByTag } = require('../transfer/registry');

/** So many of the last objects are remembered of each Worker: one of before was read, or waits behind all of these. */
const REMEMBERED = 10_000;

class Sent {
  #records = new Set();

  /** @param {object} channel the parent's end (runtime/worker-channel.js) */
  constructor(channel) {
    onChannelEnd(channel, () => {
      for (const { typeTag, content } of this.#records) typeByTag(typeTag).lost(content);
      this.#records.clear();
    });
  }

  /** @param {import('../transfer/serialization').Bundle} bundle of a message that has left */
  add({ records }) {
    for (const record of records) {
      if (typeByTag(record.typeTag)?.lost === undefined) continue;
      this.#records.add({ typeTag: record.typeTag, content: record.content });
      if (this.#records.size > REMEMBERED) this.#records.delete(this.#records.values().next().value);
    }
  }
}

const NOTHING = { add() {} };

/** What remembers the messages to a Worker; does nothing where the runtime looks after them. */
const sentTo = closesLostPorts ? () => NOTHING : (channel) => new Sent(channel);

module.exports = { sentTo };
