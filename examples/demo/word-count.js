'use strict';

/** `wc` in plain JavaScript: what the demonstration compares the pool's `wordCount` with. */

const NEWLINE = 0x0a;

/** 1 for the bytes of C's `isspace`: tab, newline, vertical tab, form feed, carriage return, space. */
const IS_SPACE = new Uint8Array(256);
for (const byte of [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20]) IS_SPACE[byte] = 1;

/**
 * @param {Uint8Array} bytes
 * @returns {{ lines: number, words: number, characters: number, bytes: number }} newlines, runs of bytes
 *   other than white space, UTF-8 sequences, and the length
 */
function wordCount(bytes) {
  let lines = 0;
  let words = 0;
  let characters = 0;
  let afterSpace = 1;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i];
    const space = IS_SPACE[byte];
    if (byte === NEWLINE) lines += 1;
    words += afterSpace & (space ^ 1);
    if ((byte & 0xc0) !== 0x80) characters += 1;
    afterSpace = space;
  }
  return { lines, words, characters, bytes: bytes.length };
}

module.exports = { wordCount };
