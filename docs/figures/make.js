'use strict';

/**
 * Writes the plot, and the figures into README.md and the pages, from bench/results/:
 *
 *     node docs/figures/make.js
 *
 * A test fails while they are not the same.
 */

const fs = require('node:fs');
const path = require('node:path');

const { fill } = require('./figures');
const { plot } = require('./plot');

const ROOT = path.join(__dirname, '..', '..');
const PLOT = 'docs/figures/throughput.svg';

/** @returns {Map<string, string>} path from the root -> what stands there when all is up to date */
function wanted() {
  const pages = fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const texts = ['README.md', ...pages.map((name) => `docs/${name}`)].map((page) => [
    page,
    fill(fs.readFileSync(path.join(ROOT, page), 'utf8')),
  ]);
  return new Map([...texts, [PLOT, plot()]]);
}

if (require.main === module) {
  for (const [file, text] of wanted()) fs.writeFileSync(path.join(ROOT, file), text);
}

module.exports = { wanted };
