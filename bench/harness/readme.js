'use strict';

/** Puts the tables of results/ into README.md, between its two marks. */

const fs = require('node:fs');
const path = require('node:path');

const { table } = require('./table');

const README = path.join(__dirname, '..', 'README.md');
const RESULTS = path.join(__dirname, '..', 'results');
const BEGIN = '<!-- results: written by `npm run bench -- --readme` -->';
const END = '<!-- end of results -->';

function sections() {
  return fs
    .readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(fs.readFileSync(path.join(RESULTS, file), 'utf8')))
    .map(({ title, environment, contests }) =>
      [`### ${title}`, environment.line, ...contests.map(table)].join('\n\n'),
    );
}

function fillReadme() {
  const text = fs.readFileSync(README, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${README} has lost its marks`);
  const before = text.slice(0, begin + BEGIN.length);
  fs.writeFileSync(README, `${before}\n\n${sections().join('\n\n')}\n\n${text.slice(end)}`);
}

module.exports = { fillReadme };
