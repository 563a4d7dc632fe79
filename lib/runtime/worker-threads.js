'use strict';

/**
 * Node's own worker_threads, read once, when the package is loaded: a program that puts ours into worker_threads must not
 * make ours call itself.
 */

/** On a function that stands in the place of one of Node's (clone-marks.js), put there by an earlier copy: Node's. */
const ORIGINAL = Symbol.for('rust-workers.original');

const descriptors = Object.getOwnPropertyDescriptors(require('node:worker_threads'));
const { markAsUncloneable } = descriptors;
if (typeof markAsUncloneable?.value?.[ORIGINAL] === 'function') {
  markAsUncloneable.value = markAsUncloneable.value[ORIGINAL];
}

module.exports = Object.defineProperties({}, descriptors);
