'use strict';

const beyondLatin1 = /[^\0-\xff]/;
const { test } = RegExp.prototype;

/**
 * Whether a text has other characters than those of Latin-1. V8 does not read a text with a byte for each character to find
 * that out.
 *
 * @param {string} text
 */
const isWide = (text) => test.call(beyondLatin1, text);

module.exports = { isWide };
