'use strict';

/** The messages that are posted: a name, messages a round, a maker of values, whether the value is a buffer to transfer. */

module.exports = [
  { name: 'number', count: 200_000, make: () => 7 },
  { name: 'string of 20', count: 200_000, make: () => 'abcdefghijklmnopqrst' },
  { name: 'flat object', count: 100_000, make: () => ({ id: 1, name: 'name', ok: true }) },
  { name: 'string of 1 KiB', count: 60_000, make: () => 'x'.repeat(1024) },
  { name: 'Buffer of 64 KiB, copied', count: 2_000, make: () => Buffer.alloc(65_536, 1) },
  { name: 'ArrayBuffer of 1 MiB, transferred', count: 200, make: () => new ArrayBuffer(1 << 20), transfer: true },
  { name: 'SharedArrayBuffer, again', count: 60_000, make: () => new SharedArrayBuffer(64) },
  { name: 'nested object of 100 keys', count: 6_000, make: hundredKeys },
  { name: 'array of 100 records', count: 2_000, make: hundredRecords },
  { name: 'string of 1 MiB', count: 200, make: () => 'x'.repeat(1 << 20) },
  { name: 'Map of 1,000', count: 600, make: () => new Map(Array.from({ length: 1000 }, (_, i) => [i, `value ${i}`])) },
];

function hundredKeys() {
  const object = {};
  for (let group = 0; group < 10; group++) {
    const inner = (object[`group${group}`] = {});
    for (let key = 0; key < 9; key++)
      inner[`key${key}`] = key % 3 === 0 ? `text ${key}` : key % 3 === 1 ? key * 1.5 : [key];
  }
  return object;
}

function hundredRecords() {
  return Array.from({ length: 100 }, (_, id) => ({
    id,
    name: `name ${id}`,
    score: id * 1.5,
    active: id % 2 === 0,
    tags: ['a', 'b'],
  }));
}
