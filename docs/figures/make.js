'use strict';

/**
 * Writes, from bench/results/, the figures into README.md and the pages, the tables into bench/README.md, and the plots:
 *
 *     node docs/figures/make.js
 *
 * A test fails while they are not of the same results.
 */

const fs = require('node:fs');
const path = require('node:path');

const { benchPage } = require('../../bench/page/readme');
const { fill } = require('./figures');
const { draw, isCurrent, names } = require('./draw');

const ROOT = path.join(__dirname, '..', '..');
const BENCH_PAGE = 'bench/README.md';

const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const fileOf = (plot) => `docs/figures/${plot}.svg`;

/** @returns {Map<string, string>} path from the root -> what stands there when all is up to date */
function wantedPages() {
  const pages = fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return new Map([
    ...['README.md', ...pages.map((name) => `docs/${name}`)].map((page) => [page, fill(read(page))]),
    [BENCH_PAGE, benchPage(read(BENCH_PAGE))],
  ]);
}

/** @returns {string[]} the plots that were drawn from other results, or by other code, or not at all */
const stalePlots = () =>
  names()
    .map(fileOf)
    .filter((file, at) => !fs.existsSync(path.join(ROOT, file)) || !isCurrent(names()[at], read(file)));

async function main() {
  const { installPeers } = require('../../bench/harness/peers');
  for (const [file, text] of wantedPages()) fs.writeFileSync(path.join(ROOT, file), text);
  installPeers();
  for (const name of names()) fs.writeFileSync(path.join(ROOT, fileOf(name)), await draw(name));
}

if (require.main === module) main();

module.exports = { stalePlots, wantedPages };
