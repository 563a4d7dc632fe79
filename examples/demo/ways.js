'use strict';

/** The two ways to the same results: on this thread in JavaScript, and on a pool. */

const { createHash } = require('node:crypto');

const { blake3 } = require('./blake3');
const { wordCount } = require('./word-count');

/**
 * One file, or one part of it, as one line of text: easy to compare, small to keep.
 *
 * @param {Buffer} blake3Digest
 * @param {Buffer} sha256Digest
 * @param {{ lines: number, words: number, characters: number, bytes: number }} counts
 */
function summary(blake3Digest, sha256Digest, { lines, words, characters, bytes }) {
  return (
    `blake3 ${blake3Digest.toString('hex')}, sha256 ${sha256Digest.toString('hex')}, ` +
    `${lines} lines, ${words} words, ${characters} characters, ${bytes} bytes`
  );
}

/** On this thread. SHA-256 is Node's own, which is OpenSSL: no JavaScript comes near it. */
async function inPlainJs(bytes) {
  return summary(blake3(bytes), createHash('sha256').update(bytes).digest(), wordCount(bytes));
}

/** On the threads of a pool: the three tasks of a file at the same time. */
function onPool(pool) {
  return async (bytes) => {
    const [blake3Digest, sha256Digest, counts] = await Promise.all([
      pool.run('blake3', bytes),
      pool.run('sha256', bytes),
      pool.run('wordCount', bytes),
    ]);
    return summary(blake3Digest, sha256Digest, counts);
  };
}

module.exports = { inPlainJs, onPool };
