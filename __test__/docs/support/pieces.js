'use strict';

/** Blocks of a page that show pieces of files which are run elsewhere: a template that users copy. */

const assert = require('node:assert/strict');
const fs = require('node:fs');

const { blocksOf } = require('./markdown');

/**
 * Every block outside of walks, but for commands and what is not run, is a piece of one of the files, which may have more between two
 * paragraphs of it.
 *
 * @param {string} page path from the root
 * @param {string[]} files
 * @returns {number} how many blocks that are
 */
function arePieces(page, files) {
  const texts = files.map((file) => fs.readFileSync(file, 'utf8'));
  const blocks = blocksOf(page).filter(({ language, walk, reason }) => language !== 'sh' && walk === undefined && reason === undefined);
  for (const { line, code } of blocks) {
    for (const paragraph of code.trimEnd().split('\n\n')) {
      assert.ok(texts.some((text) => text.includes(paragraph)), `${page}:${line}\n${paragraph}`);
    }
  }
  return blocks.length;
}

module.exports = { arePieces };
