'use strict';

/** A class over shared memory that travels, and one that moves: what the tests of lib/travel send. */

const { register, wake } = require('../../lib/transfer');

class Counter {
  #cells;

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.#cells = new Int32Array(buffer);
    wake();
  }

  add(count) {
    return Atomics.add(this.#cells, 0, count) + count;
  }

  static pack(counter) {
    return { buffer: counter.#cells.buffer };
  }
}

register(Counter, { brand: 'test.Counter', pack: Counter.pack, unpack: ({ buffer }) => new Counter(buffer) });

class Baton {
  /** What has happened to it: 'packed', then 'moved' or 'kept'. */
  events = [];

  constructor(label) {
    this.label = label;
    // What structured clone would refuse: the object itself must not be cloned.
    this.notCloneable = () => {};
    wake();
  }
}

register(Baton, {
  brand: 'test.Baton',
  moves: true,
  pack: (baton) => {
    if (baton.events.includes('moved')) throw new DOMException('the baton has left', 'DataCloneError');
    baton.events.push('packed');
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    baton.near = port1;
    return { label: baton.label, far: port2 };
  },
  transferables: ({ far }) => [far],
  unpack: ({ label, far }) => {
    if (label === 'unreadable') throw new Error('this baton cannot be taken up');
    far.close();
    return new Baton(label);
  },
  moved: (baton) => baton.events.push('moved'),
  kept: (baton, { far }) => {
    baton.events.push('kept');
    far.close();
  },
});

module.exports = { Baton, Counter };
