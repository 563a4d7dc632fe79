'use strict';

/**
 *     npm run bench                      everything; the results stand in results/ afterwards
 *     npm run bench -- pool queue        two of the benchmarks
 *     npm run bench -- pool --only=map   the contests of `pool` that have "map" in their title
 *     npm run bench -- goals             what the goals ask for, and the goals beside the figures
 *     npm run bench -- goals --saved     the goals beside the figures of results/; measures nothing
 *     npm run bench -- quick             the first table of README.md on this machine, in under three minutes; writes nothing
 *     npm run bench -- --rounds=1        one round of each, to see that all runs; writes nothing
 *     node docs/figures/make.js          the figures, plots and tables of the pages, from results/
 *
 * A benchmark is a file beside this one; README.md describes what it exports.
 */

const fs = require('node:fs');

const { environment, line } = require('./harness/environment');
const { installPeers, lacks } = require('./harness/peers');
const { find, save } = require('./harness/results');
const { runContest } = require('./harness/start');
const { table } = require('./harness/table');
const { GOALS, goalsTable } = require('./page/goals');
const { isOther } = require('./page/read');
const { QUESTIONS, summaryTable } = require('./page/summary');

const COMMANDS = ['goals', 'quick'];
const OPTIONS = ['saved', 'only', 'rounds'];
/** `quick` asks the libraries that have been the best in some contest, and what is no library, but no second row of ours. */
const QUICK_LIBRARIES = ['multithreading', 'poolifier', 'piscina, 64 tasks a worker', 'piscina'];
const QUICK_ROUNDS = 3;

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
    throw new Error(
      `There is no benchmark ${unknown.join(', ')}. There are: ${known.join(', ')}; and ${COMMANDS.join(', ')}`,
    );
  }
  const options = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2).split('=')[0]);
  const strange = options.filter((option) => !OPTIONS.includes(option));
  if (strange.length > 0) throw new Error(`There is no option ${strange.join(', ')}. There are: ${OPTIONS.join(', ')}`);
  const value = (option) => words.find((word) => word.startsWith(`--${option}=`))?.slice(option.length + 3);
  const names = named.filter((name) => known.includes(name));
  return {
    command: named.find((name) => COMMANDS.includes(name)),
    names: names.length > 0 ? names : known,
    only: value('only') ?? '',
    saved: words.includes('--saved'),
    rounds: value('rounds') === undefined ? undefined : Number(value('rounds')),
  };
}

/**
 * Runs the contests that `wanted` picks, and gives what was found. Writes it too, unless fewer rounds than usual were asked for.
 *
 * @returns {{ name: string, result: object }[]}
 */
function run(names, wanted, { rounds, among = () => true }) {
  const found = [];
  for (const name of names) {
    const bench = require(`./${name}`);
    bench.contests.forEach((contest, index) => {
      if (!wanted(name, contest)) return;
      if (!found.some((one) => one.name === name)) say(`\n## ${bench.title}`);
      const result = runContest(name, index, contest, { rounds, among, lacks });
      found.push({ name, result });
      say(`\n${table(result)}`);
      if (rounds === undefined) save(name, bench, result);
    });
  }
  return found;
}

const finder = (found) => (bench, title) => found.find((one) => one.name === bench && one.result.title === title)?.result;

/** What a list, of goals or of questions, asks for. */
const askedBy =
  (list) =>
  (name, { title }) =>
    list.some((one) => one.bench === name && one.title === title);

const quickly = (rival) => (rival.library ? QUICK_LIBRARIES.includes(rival.name) : isOther(rival));

function main() {
  const { command, names, only, rounds, saved } = readArguments(process.argv.slice(2));
  if (command === 'goals' && saved) return say(goalsTable(find));
  const started = performance.now();
  installPeers();
  say(line(environment()));
  const asked = { goals: askedBy(GOALS), quick: askedBy(QUESTIONS) }[command] ?? (() => true);
  const found = run(names, (name, contest) => asked(name, contest) && contest.title.includes(only), {
    rounds: rounds ?? (command === 'quick' ? QUICK_ROUNDS : undefined),
    among: command === 'quick' ? quickly : undefined,
  });
  if (command === 'goals') say(`\n${goalsTable(finder(found))}`);
  if (command === 'quick') say(`\n${summaryTable(finder(found))}`);
  say(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
}

main();
