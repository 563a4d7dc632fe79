'use strict';

const assert = require('node:assert');
const { test } = require('node:test');
const { isDeepStrictEqual } = require('node:util');
const { setFlagsFromString } = require('node:v8');

const { MessageChannel, share } = require('..');

// V8 alone knows of which kind an array's elements are.
setFlagsFromString('--allow-natives-syntax');
const kindOf = new Function('array', `
  return %HasSmiElements(array) ? 'integers' : %HasDoubleElements(array) ? 'doubles' : 'anything';`);

test('arrays arrive with the kind of elements that they need, whatever has come before them', () => {
  const { port1, port2 } = new MessageChannel();
  const ways = {
    message: (value) => {
      port1.postMessage(value);
      return port2.receiveSync();
    },
    copy: (value) => share(value).copy(),
  };
  const items = { integers: (i) => i - 1, doubles: (i) => i + 0.5, anything: (i) => `${i}` };
  const look = (pass) => {
    for (const [kind, item] of Object.entries(items)) {
      for (const length of [1, 2, 3, 4, 5, 9, 40, 2000]) {
        assert.strictEqual(kindOf(pass(Array.from({ length }, (_, i) => item(i)))), kind, `of ${length}`);
      }
    }
  };
  for (const pass of Object.values(ways)) {
    look(pass);
    // Every kind becomes every other on the way, often enough for V8 to compile for it.
    for (let round = 0; round < 3000; round++) {
      for (const first of Object.values(items)) {
        for (const last of Object.values(items)) pass([first(1), first(2), last(3), last(4)].slice(round % 3));
      }
    }
    look(pass);
  }
  port1.close();
});

test('arrays of numbers among anything arrive as structured clone makes them', () => {
  const { port1, port2 } = new MessageChannel();
  const items = [
    0, 1, 127, 128, -1, -0, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, NaN, Infinity, 1.5,
    '', 'é', null, undefined, true, 7n, [], [0], {},
  ];
  let seed = 20261126;
  const below = (limit) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % limit;
  const all = [];
  for (let round = 0; round < 3000; round++) {
    // A part of the items, so that some arrays have numbers alone.
    const most = 1 + below(items.length);
    const array = Array.from({ length: below(12) }, () => items[below(most)]);
    // A hole; a second way to an array, which is a graph for the wire.
    if (below(8) === 0) delete array[below(12)];
    if (below(8) === 0) array.push(array, [array]);
    all.push(array);
    const expected = structuredClone(array);
    port1.postMessage(array);
    assert.ok(isDeepStrictEqual(port2.receiveSync(), expected), `message ${round}`);
    assert.ok(isDeepStrictEqual(share(array).copy(), expected), `copy ${round}`);
  }
  // Others than the first, beyond what the reader looks at.
  for (const first of [7, 0.5]) {
    for (const other of items) {
      for (const length of [31, 32, 33, 100, 1025]) {
        const array = [...Array(length).fill(first), other, 300, -0, other];
        port1.postMessage(array);
        assert.ok(isDeepStrictEqual(port2.receiveSync(), structuredClone(array)), `${length} of ${first}, then ${String(other)}`);
        assert.ok(isDeepStrictEqual(share(array).copy(), structuredClone(array)), `a copy of ${length}`);
      }
    }
  }
  port1.postMessage(all);
  assert.ok(isDeepStrictEqual(port2.receiveSync(), structuredClone(all)));
  port1.close();
});
