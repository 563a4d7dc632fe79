'use strict';

/**
 *     npm run bench                      everything; the results stand in results/ afterwards
 *     npm run bench -- pool queue        two of the benchmarks
 *     npm run bench -- pool --only=map   the contests of `pool` that have "map" in their title
 *     npm run bench -- goals             what the goals ask for, and the goals beside the figures
 *     npm run bench -- quick             the first table of README.md on this machine, in under three minutes; writes nothing
 *     npm run bench -- --rounds=1        one round of each, to see that all runs; writes nothing
 *     npm run bench -- readme            the tables of results/ into README.md; measures nothing
 *
 * A benchmark is a file beside this one; README.md describes what it exports.
 */

const fs = require('node:fs');

const { environment, line } = require('./harness/environment');
const { installPeers, lacks } = require('./harness/peers');
const { save } = require('./harness/results');
const { runContest } = require('./harness/start');
const { table } = require('./harness/table');
const { GOALS, goalsTable } = require('./page/goals');

const COMMANDS = ['goals', 'quick', 'readme'];

const say = (text) => process.stdout.write(`${text}\n`);

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
  const unknown = named.filter((name) => ![...known, ...COMMANDS].includes(name));
  if (unknown.length > 0) {
    throw new Error(`There is no benchmark ${unknown.join(', ')}. There are: ${known.join(', ')}; and ${COMMANDS.join(', ')}`);
  }
  const value = (option) => words.find((word) => word.startsWith(`--${option}=`))?.slice(option.length + 3);
  const names = named.filter((name) => known.includes(name));
  return {
    command: named.find((name) => COMMANDS.includes(name)),
    names: names.length > 0 ? names : known,
    only: value('only') ?? '',
    rounds: value('rounds') === undefined ? undefined : Number(value('rounds')),
  };
}

/** Runs the contests that `wanted` picks, and gives what was found, by benchmark and title. */
function run(names, wanted, { rounds, quick = false }) {
  const found = [];
  const writes = rounds === undefined && !quick;
  for (const name of names) {
    const bench = require(`./${name}`);
    bench.contests.forEach((contest, index) => {
      if (!wanted(name, contest)) return;
      if (!found.some((one) => one.name === name)) say(`\n## ${bench.title}`);
      const result = runContest(name, index, contest, { rounds, quick, lacks });
      found.push({ name, result });
      say(`\n${table(result)}`);
      if (writes) save(name, bench, result);
    });
  }
  return found;
}

const within = (list) => (name, { title }) => list.some((one) => one.bench === name && one.title === title);

function main() {
  const { command, names, only, rounds } = readArguments(process.argv.slice(2));
  installPeers();
  say(line(environment()));
  if (command === 'goals') {
    const started = Date.now();
    const asked = (name, contest) => within(GOALS)(name, contest) && contest.title.includes(only);
    const found = run(names.filter((name) => GOALS.some(({ bench }) => bench === name)), asked, { rounds });
    say(`\n${goalsTable(found)}\n\n${((Date.now() - started) / 60_000).toFixed(1)} minutes`);
    return;
  }
  run(names, (_, { title }) => title.includes(only), { rounds });
}

main();
