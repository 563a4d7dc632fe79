'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const rustWorkers = require('rust-workers');

test('require and import give the same names and the same things', async () => {
  const { default: face, ...named } = await import('rust-workers');
  assert.equal(face, rustWorkers);
  assert.deepEqual(Object.keys(named).sort(), Object.keys(rustWorkers).sort());
  for (const [name, value] of Object.entries(named)) assert.equal(value, rustWorkers[name]);
});

test('the error classes are the ones that the package throws', () => {
  const { OutOfRangeError } = rustWorkers.errors;
  assert.throws(() => new rustWorkers.WorkerPool({ maxThreads: 0 }), OutOfRangeError);
});
