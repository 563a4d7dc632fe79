'use strict';

// Random values whose getters count, change what is still to be read, throw, give away memory and send something in
// their turn: what ours makes of them beside structured clone, and which code ran, how often and in which order.
// SEED and ROUNDS in the environment play others.

const assert = require('node:assert/strict');
const { test, describe } = require('node:test');
const { BlockList } = require('node:net');

const { MessageChannel, receiveMessageOnPort } = require('..');
const { createCodec, LocalShapes } = require('../lib/codec');
const { createRandom, sameGraph } = require('./support/random-values');
const { copiesOf } = require('./support/wire-parts');

const SEED = Number(process.env.SEED ?? 1);
const ROUNDS = Number(process.env.ROUNDS ?? 4000);

class Instance {
  constructor(entries) {
    for (const [key, descriptor] of entries) Object.defineProperty(this, key, descriptor);
  }
}

/** A value made anew from a seed, with a log of the getters that ran. `enter(value)` clones in the same way. */
function make(seed, enter) {
  const random = createRandom(seed);
  const log = [];
  const containers = [];
  const blocks = [];
  let getters = 0;
  const pick = (list) => list[random(list.length)];

  /** What a getter does beside giving a value. */
  function act(kind, number) {
    const container = containers[number % containers.length];
    switch (kind) {
      case 0: delete container.c; return;
      // Of an array V8 takes the names before or after the elements, by how it keeps them.
      case 1: if (!Array.isArray(container)) container.z = number; return;
      case 2: if (Array.isArray(container)) container.length = Math.min(container.length, 1); return;
      case 3: if (Array.isArray(container)) container.push(number); return;
      case 4: if (container instanceof Map) container.set('late', number).delete('b'); return;
      case 5: for (const block of blocks) if (block.length > 0) block.fill(number); return;
      case 6: if (blocks.length > 0 && blocks[0].buffer.byteLength > 0) structuredClone(0, { transfer: [blocks[0].buffer] }); return;
      case 7: enter({ nested: number, list: [1, 2, { deep: 'text' }], block: new Uint8Array(3000).fill(number) }); return;
      case 8: throw new RangeError(`getter ${number}`);
      default:
    }
  }

  function property(depth) {
    if (random(4) > 0) {
      return { value: value(depth + 1), enumerable: random(12) > 0, writable: true, configurable: true };
    }
    const number = getters++;
    const drawn = random(14);
    const given = value(depth + 1);
    // One that gives undefined and removes itself is taken for a hole.
    const kind = given === undefined && drawn < 3 ? 8 : drawn;
    return {
      enumerable: true,
      configurable: true,
      get() {
        log.push(number);
        act(kind, number);
        return given;
      },
    };
  }

  function entries(depth) {
    const keys = ['a', 'b', 'c', 'toString', '1', '__proto__', 'd'].filter(() => random(3) > 0);
    return keys.map((key) => [key, property(depth)]);
  }

  function value(depth) {
    const kind = random(depth > 3 ? 6 : 24);
    switch (kind) {
      case 0: return pick([0, -0, 1.5, NaN, 2 ** 40]);
      case 1: return pick(['', 'text', '\ud800', 'x'.repeat(100)]);
      case 2: return pick([undefined, null, true, 7n]);
      case 3: return containers.length > 0 ? pick(containers) : null;
      case 4: return new Date(random(1000));
      case 5: return random(8);
      case 6:
      case 7: {
        const block = new Uint8Array(pick([0, 8, 2000, 5000])).fill(1);
        blocks.push(block);
        return block;
      }
      case 8: {
        const map = new Map();
        containers.push(map);
        for (let i = random(4); i > 0; i--) map.set(pick(['a', 'b', 3]), value(depth + 1));
        return map;
      }
      case 9: {
        const set = new Set();
        containers.push(set);
        for (let i = random(4); i > 0; i--) set.add(value(depth + 1));
        return set;
      }
      case 10:
      case 11:
      case 12: {
        const array = [];
        containers.push(array);
        for (let i = random(5); i > 0; i--) {
          if (random(8) === 0) array.length++;
          else Object.defineProperty(array, array.length, { ...property(depth), enumerable: true });
        }
        return array;
      }
      case 13: {
        const error = new (pick([Error, TypeError]))('m');
        error.stack = 'stack';
        for (const [key, descriptor] of entries(depth)) if (key !== '__proto__') Object.defineProperty(error, key, descriptor);
        if (random(3) === 0) Object.defineProperty(error, pick(['name', 'message', 'cause']), property(depth));
        return error;
      }
      case 14: return random(3) > 0 ? pick([/x/g, Object('boxed')]) : pick([() => 1, Symbol('s'), new WeakMap(), new Proxy({}, {})]);
      case 15: return random(2) > 0 ? new Instance(entries(depth)) : new BlockList();
      case 16: return random(3) > 0 ? new ArrayBuffer(8, { maxByteLength: 16 }) : new SharedArrayBuffer(8);
      default: {
        const object = random(8) > 0 ? {} : Object.create(null);
        containers.push(object);
        for (const [key, descriptor] of entries(depth)) Object.defineProperty(object, key, descriptor);
        return object;
      }
    }
  }

  const root = {};
  containers.push(root);
  for (const [key, descriptor] of entries(0)) Object.defineProperty(root, key, descriptor);
  root.last = value(1);
  return { root, log };
}

/** What a way of cloning makes of the value of a seed. */
function outcome(seed, clone) {
  const { root, log } = make(seed, clone);
  try {
    return { copy: clone(root), log };
  } catch (error) {
    return { error: `${error.name}: ${error.message}`, log };
  }
}

function compare(seed, clone) {
  const right = outcome(seed, structuredClone);
  // Node 20 cannot read back an error that is within its own cause.
  if (/deserialize/.test(right.error)) return false;
  const seen = outcome(seed, clone);
  assert.deepEqual(seen.log, right.log, `seed ${seed}: the getters that ran`);
  assert.equal(seen.error, right.error, `seed ${seed}`);
  if (right.error === undefined) assert.ok(sameGraph(seen.copy, right.copy), `seed ${seed}: the copies differ`);
  return true;
}

describe(`random values beside structuredClone, from seed ${SEED}`, () => {
  test('the codec, and what it leaves to Node', () => {
    const codec = createCodec({ shapes: new LocalShapes() });
    const clone = (value) => {
      const writer = codec.encodeMessage(value);
      if (writer === null) return structuredClone(codec.takeLeft());
      const wire = Buffer.from(writer.bytes.subarray(0, writer.length));
      return codec.decode(wire, 0, wire.length, copiesOf(writer.parts));
    };
    let compared = 0;
    for (let seed = SEED; seed < SEED + ROUNDS; seed++) compared += compare(seed, clone) ? 1 : 0;
    assert.ok(compared > ROUNDS / 2, `${compared} compared`);
  });

  test('values that Rust carries through a channel of ours', () => {
    const { port1, port2 } = new MessageChannel();
    const codec = createCodec({ shapes: new LocalShapes() });
    let sent = 0;
    for (let seed = SEED; seed < SEED + ROUNDS / 4; seed++) {
      // What goes by Node's port is the port's own business.
      const { root } = make(seed, () => {});
      try {
        if (codec.encodeMessage(root) === null) continue;
      } catch {
        continue;
      }
      sent++;
      compare(seed, (value) => {
        port1.postMessage(value);
        return receiveMessageOnPort(port2).message;
      });
    }
    port1.close();
    assert.ok(sent > 10, `${sent} sent`);
  });
});
