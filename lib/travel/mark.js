'use strict';

/** How a message with objects of ours is told from any other. By itself: who only asks need not load the rest. */

/** The property that marks a message with objects of ours; its value is the message proper. */
const MARK = 'rust-workers.message';

/**
 * @param {{ value: unknown, records: object[] }} bundle what `departure` gives and `arrive` takes
 * @returns {object} the message for a way that carries messages of users as they are
 */
function seal({ value, records }) {
  return { [MARK]: value, records };
}

/** The bundle in a message that `seal` made; undefined for every other message. */
function unseal(message) {
  if (typeof message !== 'object' || message === null || message[MARK] === undefined) return undefined;
  return { value: message[MARK], records: message.records };
}

module.exports = { seal, unseal };
