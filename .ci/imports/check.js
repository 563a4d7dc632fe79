'use strict';

/**
 * Which files may import which: no circles of files, and no arrow from a room to one that it may not import (rooms.js).
 *
 *     node .ci/imports/check.js [--list | --tree] [root of the tree]
 *
 * Without an option it prints what breaks a rule, and fails if there is anything. `--list` prints the same and does not
 * fail. `--tree` prints each room, its files, and the rooms that they import.
 */

const fs = require('node:fs');
const path = require('node:path');

const { jsGraph } = require('./js-graph');
const { judge, tree } = require('./judge');
const table = require('./rooms');
const { rustGraph } = require('./rust-graph');

/** @returns {Map<string, string>} path from the root, with slashes -> text, of `src`, `lib` and the top folder */
function read(root) {
  const sources = new Map();
  const add = (file) => sources.set(file, fs.readFileSync(path.join(root, file), 'utf8'));
  const walk = (folder) => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = `${folder}/${entry.name}`;
      // Made of the other files.
      if (file === 'lib/bundle') continue;
      if (entry.isDirectory()) walk(file);
      else if (/\.(?:rs|(?:c|m)?js)$/.test(file)) add(file);
    }
  };
  walk('src');
  walk('lib');
  for (const name of ['index.js', 'package.json']) add(name);
  return sources;
}

const graphsOf = (sources) => [rustGraph(sources), jsGraph(sources)];

function shown({ from, file = from, line, text, to }) {
  return `${file}:${line}  ${text}${to === undefined ? '' : ` → ${to}`}`;
}

/** @returns {string[]} each complaint, with what belongs to it on lines of its own */
function complaints(found) {
  return [
    ...found.circles.map(({ files, shortest }) => {
      const lines = [`circle of ${files.length} files, the shortest way round:`, ...shortest.map(shown)];
      if (files.length > shortest.length) lines.push(`The circle's files: ${files.join(', ')}`);
      return lines.join('\n    ');
    }),
    ...found.forbidden.map((arrow) => `forbidden arrow: ${shown(arrow)}\n    ${arrow.rule}`),
    ...found.misplaced.map((word) => `word in the wrong room: ${shown(word)}\n    ${word.rule}`),
    ...found.homeless.map((file) => `file in no room: ${file}`),
    ...found.faults.map((fault) => `fault: ${shown(fault)}`),
    ...found.table.map((text) => `rooms.js: ${text}`),
  ];
}

function main() {
  const options = process.argv.slice(2);
  const root = options.find((option) => !option.startsWith('--')) ?? path.join(__dirname, '..', '..');
  const graphs = graphsOf(read(root));
  if (options.includes('--tree')) {
    for (const { room, files, imports } of tree(graphs, table)) {
      console.log(`${room} → ${imports.join(', ') || 'nothing'}\n    ${files.join(' ')}`);
    }
    return;
  }
  const found = judge(graphs, table);
  const lines = complaints(found);
  for (const line of lines) console.log(line);
  if (lines.length > 0) {
    const { circles, forbidden, misplaced, homeless, faults, table: ofTable } = found;
    console.log(
      `\n${circles.length} circles, ${forbidden.length} forbidden arrows, ${misplaced.length} words in the wrong room, ` +
        `${homeless.length} files in no room, ${faults.length} faults, ${ofTable.length} faults of the table.`,
    );
    if (!options.includes('--list')) process.exitCode = 1;
  } else {
    console.log('Imports: no circle, no forbidden arrow.');
  }
}

if (require.main === module) main();

module.exports = { complaints, graphsOf, read };
