'use strict';

/**
 * The numbers that both languages know, by group and name: `FORMS.NUMBER`, `TAGS.DATE`. Each is declared in Rust, beside
 * what it is for, and nowhere else (src/exported_numbers.rs, src/api/constants.rs); a name that does not exist is found by
 * __test__/constants.test.js.
 *
 * Read them when a file is loaded, into constants of its own: V8 knows these, and not what stands in an object.
 */

const { binding } = require('./native');

/** @type {Record<string, Record<string, number>>} */
module.exports = JSON.parse(binding.constants());
