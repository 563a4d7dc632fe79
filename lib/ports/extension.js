'use strict';

/** Ports in the inputs and results of native tasks, and in what a task posts. */

const { PORT } = require('../constants').TAGS;
const { isPort, ownTypeByTag } = require('../transfer/registry');

/** The options of a port that comes from Rust. */
const OPTIONS = Object.freeze({ capacity: 0, keepBuffers: false, withTask: true });

/** @type {import('../codec/extensions').Extension} */
const portExtension = {
  tag: PORT,
  test: isPort,
  write(port, writer) {
    // Between JavaScript threads a port goes in Node's own message.
    if (writer.message) writer.refuse(port);
    writer.u32(writer.part(port));
  },
  read(reader) {
    const key = reader.parts[reader.u32()];
    // Nobody kept shared memory for it, and it has no fallback port. This file is below the class: the codec needs it.
    const { deserialize } = ownTypeByTag('MessagePort');
    return deserialize({
      key, options: OPTIONS, kept: [], introduced: 0, fallback: undefined, early: undefined, lossPort: undefined,
    });
  },
};

module.exports = { portExtension };
