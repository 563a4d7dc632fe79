'use strict';

/** Ports in the inputs and results of native tasks, and in what a task posts. */

const { PORT } = require('../constants').TAGS;
const { kindOf } = require('../transfer/registry');

/** Nobody kept shared memory for a port that comes from Rust, and it has no companion. */
const TERMS = Object.freeze({ capacity: 0, keepBuffers: false, withTask: true });

// Loaded late: ports need the codec.
let Port;

/** @type {import('../codec/extensions').Extension} */
const portExtension = {
  tag: PORT,
  test: (value) => kindOf(value)?.toTask !== undefined,
  write(port, writer) {
    // Between JavaScript threads a port travels in Node's own message.
    if (writer.message) writer.refuse(port);
    writer.u32(writer.part(port));
  },
  read(reader) {
    const key = reader.parts[reader.u32()];
    Port ??= require('./message-port').Port;
    return Port.adopt({ key, terms: TERMS, kept: [], introduced: 0, half: undefined, early: undefined, witness: undefined });
  },
};

module.exports = { portExtension };
