'use strict';

// lib/runtime/array-properties.js: the words of `util.inspect` for an array of which no element is shown.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { onEachNode, quietly } = require('../support/child');

const answers = ({ say }) => {
  const { hasNamedProperties } = require('./lib/runtime/array-properties');
  for (const length of [1, 64, 100_000]) {
    const array = Array.from({ length }, (_, i) => i);
    const named = Object.assign(array.slice(), { name: 1 });
    say(length, hasNamedProperties(array), hasNamedProperties(named));
  }
};
const ANSWERS = ['1 false true', '64 false true', '100000 false true'];

onEachNode('properties of arrays', (run) => {
  test("are told by Node's words", async () => {
    const end = await run(({ say }) => {
      const { BRIEF, usualText } = require('./lib/runtime/array-properties');
      const { inspect } = require('node:util');
      for (const length of [64, 100_000]) say(inspect(new Array(length).fill(0), BRIEF) === usualText(length));
    });
    assert.deepEqual(end, quietly('true', 'true'));
    assert.deepEqual(await run(answers), quietly(...ANSWERS));
  });

  test('are told by their keys where the words are others', async () => {
    const without = `(prelude) => {
      require('node:util').inspect = () => 'an array';
      (${answers})(prelude);
    }`;
    assert.deepEqual(await run(without), quietly(...ANSWERS));
  });
});
