'use strict';

/**
 * The numbers that both languages know, by group and name: `FORMS.NUMBER`, `TAGS.DATE`. Each is declared in Rust, beside
 * its purpose, and nowhere else (src/exported_numbers.rs, src/api/constants.rs); a name that does not exist is found by
 * __test__/constants.test.js.
 *
 * Read them when a file is loaded, into constants of its own: V8 treats these as constants, and not the properties of an
 * object.
 */

const { binding } = require('./native');

/** @type {Record<string, Record<string, number>>} */
module.exports = JSON.parse(binding.constants());
