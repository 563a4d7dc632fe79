'use strict';

/** The script of rust-workers, piscina and tinypool. Each moves a buffer by the means of its own library. */

const { small, bytes } = require('./body');

module.exports = small;
module.exports.small = small;
module.exports.bytes = bytes;
module.exports.movedByUs = (input) => require('../../..').move(input, [input.buffer]);
module.exports.movedByPiscina = (input) => require('piscina').move(input.buffer);
