'use strict';

/** How values stand in calls to and from the native side. src/node/input.rs and output.rs hold the same numbers. */

module.exports = {
  // Answers, in `forms` of a batch.
  UNDEFINED: 0,
  NULL: 1,
  TRUE: 2,
  FALSE: 3,
  NUMBER: 4,
  BYTES: 5,
  WIRE: 6,
  WIRE_APART: 7,
  ERROR: 8,
  REJECTED: 9,
  REJECTED_APART: 10,
  BESIDE: 11,
  BESIDE_REJECTED: 12,
  BESIDE_LATE: 13,
  POOL_CLOSED: 16,
  SCRIPT_WORK: 40,
  SCRIPT_STOP: 41,
  SCRIPT_READY: 42,
  FENCE: 43,
  INPUT_WANTED: 44,
  /** Added to the form of a report that is no answer. */
  PROGRESS: 64,
  PORT_DUE: 32,
  PORT_ROOM: 33,
  WAIT_ENDED: 24,

  // Inputs. The kind of bytes stands in the second byte of COPY and PIN.
  INPUT_DIRECT: 0,
  INPUT_COPY: 1,
  INPUT_PIN: 2,
  INPUT_WIRE: 3,
};
