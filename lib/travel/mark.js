'use strict';

/** How a message with objects of ours is told from any other. By itself: who only asks need not load the rest. */

/** The property that marks a message with objects of ours; its value is the message proper. */
const MARK = 'rust-workers.message';

/** Whether this message came with objects of ours. */
function isMarked(message) {
  return typeof message === 'object' && message !== null && message[MARK] !== undefined;
}

module.exports = { MARK, isMarked };
