'use strict';

/** What README.md of this folder takes from results/: the first table, the losses, and all tables. */

const { line } = require('../harness/environment');
const { find, read } = require('../harness/results');
const { table } = require('../harness/table');
const { lossesList } = require('./losses');
const { summaryTable } = require('./summary');

/** The benchmarks, in the order of the page. */
const ORDER = ['scripts', 'pool', 'inputs', 'queue', 'delay', 'cancel', 'start', 'channel', 'share', 'shared', 'locks', 'kernels', 'light'];

/** Contests that were measured together have their machine and date above them once. */
function section(bench) {
  const { title, contests } = read(bench);
  const about = ({ load, date, ...rest }) => JSON.stringify({ ...rest, date: date.slice(0, 10) });
  let last;
  const parts = contests.flatMap((contest) => {
    if (contest.skipped || about(contest.measured) === last) return [table(contest)];
    last = about(contest.measured);
    return [line(contest.measured), table(contest)];
  });
  return [`### ${title}`, ...parts].join('\n\n');
}

const PARTS = {
  summary: () => summaryTable(find),
  losses: () => lossesList(ORDER.flatMap((bench) => read(bench).contests.map((contest) => ({ bench, contest })))),
  results: () =>
    ORDER.filter((bench) => read(bench).contests.length > 0)
      .map(section)
      .join('\n\n'),
};

/** The page with each part, between its two marks, as the results are now. */
function benchPage(text) {
  return Object.entries(PARTS).reduce((page, [name, part]) => {
    const begin = `<!-- ${name}: written by \`node docs/figures/make.js\` -->`;
    const end = `<!-- end of ${name} -->`;
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`bench/README.md has lost its marks of ${name}`);
    return `${page.slice(0, from + begin.length)}\n\n${part()}\n\n${page.slice(to)}`;
  }, text);
}

module.exports = { benchPage };
