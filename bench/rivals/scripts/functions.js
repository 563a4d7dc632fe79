'use strict';

/** The script of rust-workers, piscina and tinypool. Each moves a buffer by the means of its own library. */

const { bytes, lengthOf, roots, small } = require('./body');

module.exports = small;
// One by one: an import of a CommonJS module (tinypool's) finds only names that stand in its text.
module.exports.bytes = bytes;
module.exports.lengthOf = lengthOf;
module.exports.roots = roots;
module.exports.small = small;
module.exports.movedByUs = (input) => require('../../..').move(input, [input.buffer]);
module.exports.movedByPiscina = (input) => require('piscina').move(input.buffer);
