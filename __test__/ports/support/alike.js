'use strict';

// The same programs over Node's own ports and over ours: what they log must be equal.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const nodeThreads = require('node:worker_threads');

const ours = require('rust-workers');

/** Runs a program over both, and compares. */
function alike(name, program) {
  test(name, async () => {
    const logOf = async (threads) => {
      const log = [];
      await program({ ...threads, log: (...line) => log.push(line) });
      return log;
    };
    // Neither Node's ports nor ours hold the loop for a listener of `close`.
    const alive = setInterval(() => {}, 1000);
    try {
      const expected = await logOf(nodeThreads);
      assert.ok(expected.length > 0, 'the program logs something');
      assert.deepEqual(await logOf(ours), expected);
    } finally {
      clearInterval(alive);
    }
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
