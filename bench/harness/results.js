'use strict';

/** results/: a file for each benchmark. Every contest in it says when, where and with what it was measured. */

const fs = require('node:fs');
const path = require('node:path');

const FOLDER = path.join(__dirname, '..', 'results');

const fileOf = (bench, folder) => path.join(folder, `${bench}.json`);

/** @returns {{ title: string, contests: object[] }} */
function read(bench, folder = FOLDER) {
  const file = fileOf(bench, folder);
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : { title: bench, contests: [] };
}

/**
 * Puts one contest's result in the place of its earlier one. Those that were not measured now keep theirs; those that the
 * benchmark does not have any more go.
 */
function save(bench, { title, contests }, result, folder = FOLDER) {
  const known = new Map(read(bench, folder).contests.map((one) => [one.title, one]));
  if (!result.skipped || !known.has(result.title)) known.set(result.title, result);
  const ordered = contests.map((contest) => known.get(contest.title)).filter((one) => one !== undefined);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(fileOf(bench, folder), `${JSON.stringify({ title, contests: ordered }, null, 1)}\n`);
}

function find(bench, title) {
  return read(bench).contests.find((contest) => contest.title === title);
}

module.exports = { find, read, save };
