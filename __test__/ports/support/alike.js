'use strict';

// The same programs over Node's own ports and over ours: what they log must be equal.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const nodeThreads = require('node:worker_threads');

const ours = require('rust-workers');
const { inTime } = require('../../support/until');

/**
 * Runs a program over both, and compares. Beside the library's names it is given `log`, and `delivered()`, which waits until
 * whatever was posted, closed and aborted before has had its effect: messages that were posted later, one after the
 * other, have come by a channel that was made later.
 */
function alike(name, program) {
  test(name, async () => {
    const logOf = async (threads) => {
      const log = [];
      const delivered = async () => {
        const { port1, port2 } = new threads.MessageChannel();
        for (let i = 0; i < 3; i++) {
          const came = new Promise((resolve) => port2.once('message', resolve));
          port1.postMessage(i);
          await came;
          await new Promise(setImmediate);
        }
        port1.close();
      };
      await program({ ...threads, delivered, log: (...line) => log.push(line) });
      return log;
    };
    // Keeps the loop alive: neither Node's ports nor ours do for a listener of `close`.
    const expected = await inTime(logOf(nodeThreads), "the program over Node's ports");
    assert.ok(expected.length > 0, 'the program logs something');
    assert.deepEqual(await inTime(logOf(ours), 'the program over our ports'), expected);
  });
}

/** What an error says. */
const said = (run) => {
  try {
    run();
    return 'nothing';
  } catch (error) {
    return [error.name, error.message, error.code];
  }
};

const closed = (port) => new Promise((resolve) => port.once('close', resolve));

module.exports = { alike, closed, said };
