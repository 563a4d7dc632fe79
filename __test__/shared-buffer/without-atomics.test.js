'use strict';

// Where V8 was told to have no `Atomics` (Node 20: --no-harmony-atomics), or a program deleted it.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { evaluate } = require('../support/child');

const program = `
  delete globalThis.Atomics;
  const { MessageChannel, Mutex, SharedBuffer, receiveMessageOnPort } = require('rust-workers');
  const cells = new SharedBuffer(8);
  cells.add(0, 5);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage('through');
  let code;
  try {
    new Mutex();
  } catch (error) {
    code = error.code;
  }
  console.log(JSON.stringify([cells.load(0), cells.notify(0), receiveMessageOnPort(port2).message, code]));
  process.exit();
`;

test('without Atomics the package loads, shared memory works by Rust, and locks say what they need', async () => {
  const { stdout } = await evaluate(program);
  assert.deepEqual(JSON.parse(stdout), [5, 0, 'through', 'ERR_RW_INTERNAL']);
});
