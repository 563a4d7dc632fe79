'use strict';

// Random values come out of our channel as they come out of Node's.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const nodeThreads = require('node:worker_threads');

const { MessageChannel, receiveMessageOnPort } = require('rust-workers');
const { createRandom, randomValue, sameGraph } = require('../support/random-values');

const ROUNDS = Number(process.env.RW_TEST_VALUES ?? 3000);

const UNREADABLE = Symbol('unreadable');
function read(take) {
  try {
    return take();
  } catch (error) {
    if (/deserialize/.test(error.message)) return UNREADABLE;
    throw error;
  }
}

test(`${ROUNDS} random values: equal to what Node's own channel gives, identity included`, () => {
  const ours = new MessageChannel();
  const nodes = new nodeThreads.MessageChannel();
  let compared = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const value = randomValue(createRandom(seed));
    // Some with a Blob beside, so that the way through the fallback port is compared too.
    const posted = seed % 5 === 0 ? { value, aside: new Blob([]) } : value;
    ours.port1.postMessage(posted);
    nodes.port1.postMessage(posted);
    const expected = read(() => nodeThreads.receiveMessageOnPort(nodes.port2).message);
    const got = read(() => receiveMessageOnPort(ours.port2).message);
    // Node 20 cannot read an error within its own cause; by the way through Rust it arrives.
    if (expected === UNREADABLE) continue;
    assert.notEqual(got, UNREADABLE, `seed ${seed}`);
    compared++;
    const [ourValue, nodeValue] = seed % 5 === 0 ? [got.value, expected.value] : [got, expected];
    assert.ok(sameGraph(ourValue, nodeValue), `seed ${seed}`);
  }
  assert.ok(compared > ROUNDS * 0.9, `${compared} compared`);
  ours.port1.close();
  nodes.port1.close();
});

test('a Buffer arrives as a Uint8Array, or with keepBuffers as a Buffer of its own bytes', () => {
  const plain = new MessageChannel();
  const small = Buffer.from('pooled');
  plain.port1.postMessage(small);
  const asNode = receiveMessageOnPort(plain.port2).message;
  assert.equal(Buffer.isBuffer(asNode), false);
  assert.deepEqual(asNode, new Uint8Array(small));
  plain.port1.close();

  const keeping = new MessageChannel({ keepBuffers: true });
  const large = Buffer.alloc(5000, 7);
  keeping.port1.postMessage({ small, large, again: [small, large], rest: [{}, small.buffer.byteLength] });
  const { message } = receiveMessageOnPort(keeping.port2);
  assert.ok(Buffer.isBuffer(message.small) && Buffer.isBuffer(message.large));
  assert.equal(message.small.toString(), 'pooled');
  assert.equal(message.small.buffer.byteLength, 6, 'not the pool it came from');
  assert.ok(message.large.equals(large));
  assert.ok(message.again[0] === message.small && message.again[1] === message.large);
  keeping.port1.close();
});

test('shared memory handed over again and again is the same memory, and not sent by Node each time', () => {
  const { port1, port2 } = new MessageChannel();
  const memories = Array.from({ length: 40 }, (_, i) => {
    const memory = new SharedArrayBuffer(8);
    new Int32Array(memory)[0] = i;
    return memory;
  });
  for (let round = 0; round < 6; round++) {
    for (const [i, memory] of memories.entries()) {
      port1.postMessage({ memory, view: new Int32Array(memory, 4), nested: [[memory]] });
      const { message } = receiveMessageOnPort(port2);
      assert.equal(new Int32Array(message.memory)[0], i);
      assert.ok(message.view.buffer === message.memory && message.nested[0][0] === message.memory);
      message.view[0] = round + 1;
      assert.equal(new Int32Array(memory)[1], round + 1);
    }
  }
  // One that is posted again and again arrives as the same object from the second time on.
  const [one] = memories;
  const arrived = new Set();
  for (let i = 0; i < 10; i++) {
    port1.postMessage(one);
    arrived.add(receiveMessageOnPort(port2).message);
  }
  assert.ok(arrived.size <= 3, `${arrived.size} objects`);
  // A receiving end that moves takes what it keeps along.
  const carrier = new MessageChannel();
  carrier.port1.postMessage(port2, [port2]);
  const there = receiveMessageOnPort(carrier.port2).message;
  port1.postMessage([one]);
  assert.equal(new Int32Array(receiveMessageOnPort(there).message[0])[0], 0);
  port1.close();
  carrier.port1.close();
});

test('a growable SharedArrayBuffer stays growable', (t) => {
  const memory = new SharedArrayBuffer(8, { maxByteLength: 64 });
  if (memory.growable !== true) return t.skip('this Node has none');
  const { port1, port2 } = new MessageChannel();
  for (let i = 0; i < 4; i++) {
    port1.postMessage(memory);
    const { message } = receiveMessageOnPort(port2);
    assert.equal(message.growable, true);
    assert.equal(message.maxByteLength, 64);
  }
  port1.close();
});

test('where Node has to carry a value each getter still runs once', () => {
  const deep = (levels) => (levels === 0 ? 1 : [deep(levels - 1)]);
  const makers = [
    () => new SharedArrayBuffer(8), () => new ArrayBuffer(8, { maxByteLength: 16 }), () => new Blob(['x']), () => deep(300),
    () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 })), () => Object.create({ inherited: 1 }),
  ];
  for (const make of makers) {
    const { port1, port2 } = new MessageChannel();
    let count = 0;
    for (let i = 1; i < 4; i++) {
      port1.postMessage({ get id() { return ++count; }, part: make(), get late() { return count; } });
      const { id, late } = receiveMessageOnPort(port2).message;
      assert.deepEqual([id, late, count], [i, i, i]);
      port1.postMessage({ get id() { Object.defineProperty(this, 'id', { value: 'second', enumerable: true }); return 'first'; }, part: make() });
      assert.equal(receiveMessageOnPort(port2).message.id, 'first');
    }
    port1.close();
  }
});

test('a getter that posts, or throws, does no harm', () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage({
    get inner() {
      port1.postMessage('inner');
      return 'outer';
    },
  });
  assert.equal(receiveMessageOnPort(port2).message, 'inner');
  assert.deepEqual(receiveMessageOnPort(port2).message, { inner: 'outer' });
  const thrown = new Error('from a getter');
  assert.throws(() => port1.postMessage({ get bad() { throw thrown; } }), (error) => error === thrown);
  assert.equal(receiveMessageOnPort(port2), undefined);
  port1.close();
});
