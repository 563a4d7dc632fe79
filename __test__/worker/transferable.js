'use strict';

/** A transferable type over shared memory, and one that moves: what the tests of lib/transfer send. */

const { registerType, startSearching } = require('../../lib/transfer/registry');

class Counter {
  #cells;

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.#cells = new Int32Array(buffer);
    startSearching();
  }

  add(count) {
    return Atomics.add(this.#cells, 0, count) + count;
  }

  static serialize(counter) {
    return { buffer: counter.#cells.buffer };
  }
}

registerType(Counter, {
  typeTag: 'test.Counter',
  serialize: Counter.serialize,
  deserialize: ({ buffer }) => new Counter(buffer),
});

class Baton {
  /** What has happened to it: 'packed', then 'moved' or 'kept'. */
  events = [];

  constructor(label) {
    this.label = label;
    // What structured clone would refuse: the object itself must not be cloned.
    this.notCloneable = () => {};
    startSearching();
  }
}

registerType(Baton, {
  typeTag: 'test.Baton',
  moves: true,
  serialize: (baton) => {
    if (baton.events.includes('moved')) throw new DOMException('the baton has left', 'DataCloneError');
    baton.events.push('packed');
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    baton.near = port1;
    return { label: baton.label, far: port2 };
  },
  nodeTransferables: ({ far }) => [far],
  deserialize: ({ label, far }) => {
    if (label === 'unreadable') throw new Error('this baton cannot be taken up');
    far.close();
    return new Baton(label);
  },
  posted: (baton) => baton.events.push('moved'),
  refused: (baton, { far }) => {
    baton.events.push('kept');
    far.close();
  },
});

module.exports = { Baton, Counter };
