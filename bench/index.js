'use strict';

/**
 * Runs the benchmarks: all of them, or those that are named.
 *
 *     npm run bench                      all, results written to bench/results/
 *     npm run bench -- pool channel      those two
 *     npm run bench -- pool --only=map   the contests of `pool` that have "map" in their title
 *     npm run bench -- --quick           fewer rounds and nothing written: to see that all runs
 *     npm run bench -- --readme          puts the tables of bench/results/ into bench/README.md; measures nothing
 *
 * A benchmark is a file beside this one; README.md describes what it exports.
 */

const fs = require('node:fs');
const path = require('node:path');

const { environment } = require('./harness/environment');
const { installPeers } = require('./harness/peers');
const { fillReadme } = require('./harness/readme');
const { runContest } = require('./harness/start');
const { table } = require('./harness/table');

const RESULTS = path.join(__dirname, 'results');

function benchNames() {
  return fs
    .readdirSync(__dirname)
    .filter((file) => file.endsWith('.js') && file !== 'index.js')
    .map((file) => file.slice(0, -'.js'.length))
    .sort();
}

function readArguments(words) {
  const known = benchNames();
  const named = words.filter((word) => !word.startsWith('--'));
  const unknown = named.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`There is no benchmark ${unknown.join(', ')}. There are: ${known.join(', ')}`);
  }
  return {
    names: named.length > 0 ? named : known,
    quick: words.includes('--quick'),
    readmeOnly: words.includes('--readme'),
    only: words.find((word) => word.startsWith('--only='))?.slice('--only='.length) ?? '',
  };
}

/** Keeps the other contests of an earlier run when only some were run. */
function save(name, title, results, only) {
  const file = path.join(RESULTS, `${name}.json`);
  const earlier = only !== '' && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).contests : [];
  const kept = earlier.filter((old) => !results.some((result) => result.title === old.title));
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(
    file,
    `${JSON.stringify({ title, environment: environment(), contests: [...kept, ...results] }, null, 2)}\n`,
  );
}

function main() {
  const { names, quick, readmeOnly, only } = readArguments(process.argv.slice(2));
  if (readmeOnly) return fillReadme();
  installPeers();
  process.stdout.write(`${environment().line}\n`);
  for (const name of names) {
    const { title, contests } = require(`./${name}`);
    process.stdout.write(`\n## ${title}\n`);
    const results = [];
    contests.forEach((contest, index) => {
      if (!contest.title.includes(only)) return;
      const result = runContest(name, index, contest, quick);
      results.push(result);
      process.stdout.write(`\n${table(result)}\n`);
    });
    if (!quick && results.length > 0) save(name, title, results, only);
  }
}

main();
