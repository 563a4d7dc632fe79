'use strict';

/**
 * Runs all checks on the runtimes that are named on the command line, prints the table for docs/runtimes.md, and fails where
 * a result is not as declared (differences.js), or the page has another table:
 *
 *     node __test__/runtimes/report.js [--page <file> [--write]] [--only <text>] <name>=<command> …
 *
 * A name is `node-<line>`, `bun` or `deno`; a command's words are separated by blanks.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');

const differences = require('./differences');
const { listChecks, runAll } = require('./matrix');

const BEGIN = '<!-- This table is what `.ci/runtimes` found; `.ci/runtimes --write` writes it. -->\n';
const END = '<!-- End of the table. -->\n';

const differenceFor = (name, check) => differences.find((one) => one.check === check.name && one.runtimes.includes(name));

/** What is not as declared, as a sentence; undefined when all is. */
function faultOf(name, { check, failure }) {
  const declared = differenceFor(name, check);
  const where = `${name}: ${check.area}: ${check.name}`;
  if (failure === undefined) return declared === undefined || declared.mayPass ? undefined : `${where} passes by now: take it off differences.js`;
  const isDeclared = declared !== undefined && failure.kind === 'fails' && declared.endsWith.test(failure.text);
  return isDeclared ? undefined : `${where} ${failure.kind}: ${failure.text}`;
}

/** A difference of a check that is not there any more. */
function staleDifferences() {
  const names = new Set(listChecks().map(({ name }) => name));
  return differences.filter(({ check }) => !names.has(check)).map(({ check }) => `differences.js names '${check}', which is no check`);
}

/** The version that a runtime says, as the table has it. */
function titleOf(name, [command]) {
  const told = execFileSync(command, ['--version'], { encoding: 'utf8' });
  const [version] = /\d+\.\d+\.\d+/.exec(told);
  if (name.startsWith('node-')) return `Node.js ${version.split('.')[0]}`;
  return `${name === 'bun' ? 'Bun' : 'Deno'} ${version}`;
}

function tableOf(runs) {
  const areas = [...new Set(listChecks().map(({ area }) => area))];
  const notes = [];
  const cell = ({ name, results }, area) => {
    // What passes by chance is not counted: the table is of what can be relied on.
    const passed = ({ check, failure }) => failure === undefined && differenceFor(name, check) === undefined;
    const of = results.filter(({ check }) => check.area === area);
    const marks = of
      .filter((result) => !passed(result))
      .map(({ check }) => differenceFor(name, check))
      .filter(Boolean)
      .map((difference) => {
        if (!notes.includes(difference)) notes.push(difference);
        return `<sup>${notes.indexOf(difference) + 1}</sup>`;
      });
    const count = of.filter(passed).length;
    return count === of.length ? `all ${of.length}` : `${count} of ${of.length} ${marks.join(' ')}`;
  };
  const rows = areas.map((area) => [area, ...runs.map((run) => cell(run, area))]);
  const lines = [['checks of', ...runs.map(({ title }) => title)], ['---', ...runs.map(() => '---')], ...rows];
  const table = lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  return `${table}\n${notes.map(({ note }, i) => `${i + 1}. ${note}\n`).join('')}`;
}

/** The page with this table in it; fails where there is no place for it. */
function withTable(page, table) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('the page has no place for the table');
  return `${page.slice(0, begin + BEGIN.length)}\n${table}\n${page.slice(end)}`;
}

async function main(args) {
  const options = { page: undefined, write: false, only: '' };
  const runtimes = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--page') options.page = args[++i];
    else if (args[i] === '--write') options.write = true;
    else if (args[i] === '--only') options.only = args[++i];
    else runtimes.push([args[i].slice(0, args[i].indexOf('=')), args[i].slice(args[i].indexOf('=') + 1).split(' ')]);
  }
  const wanted = ({ area, name }) => `${area}: ${name}`.includes(options.only);
  const faults = staleDifferences();
  const runs = [];
  for (const [name, command] of runtimes) {
    const began = performance.now();
    const title = titleOf(name, command);
    const results = await runAll(command, wanted);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stderr.write(`${title}: ${results.filter(({ failure }) => !failure).length} of ${results.length} in ${seconds} s\n`);
    faults.push(...results.map((result) => faultOf(name, result)).filter(Boolean));
    runs.push({ name, title, results });
  }
  const table = tableOf(runs);
  process.stdout.write(`\n${table}\n`);
  if (options.page !== undefined) {
    const page = fs.readFileSync(options.page, 'utf8');
    const wantedPage = withTable(page, table);
    if (options.write) fs.writeFileSync(options.page, wantedPage);
    else if (page !== wantedPage) faults.push(`${options.page} has another table: run .ci/runtimes --write`);
  }
  for (const fault of faults) process.stderr.write(`✖ ${fault}\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

main(process.argv.slice(2));
