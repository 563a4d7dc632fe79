'use strict';

/** What the native path and the rest are meant to reach, beside what was measured. */

const { short, times } = require('../harness/table');

/** How a figure is read from a contest's result. */
const ratioTo = (name) => ({ entries }) => entries.find((one) => one.name === name)?.ratio;
const costOf = (name) => (result) => 1 / ratioTo(name)(result);
const shareOf = ratioTo;
const bestLibrary = ({ entries }) => Math.min(...entries.filter(({ library }) => library).map(({ ratio }) => ratio));
const median = ({ entries }) => entries[0].median;

const NOOP_20K = { bench: 'pool', title: 'no-op tasks, 20,000 in flight' };
const NOOP_200K = { bench: 'pool', title: 'no-op tasks, 200,000 in flight' };
const MAIN_THREAD = { bench: 'pool', title: 'main-thread time of a no-op, 20,000 in flight' };

const dearest = ({ entries }) => Math.max(...entries.map((one) => one.median));
const growth = ({ entries }) => Math.max(...entries.slice(1).map(({ ratio }) => ratio));
const longestTurn = ({ entries }) => Math.max(...entries.map(({ also }) => also['longest turn, ms'].median));

const atLeast = (goal, figure, write = times) => ({ goal, figure, write, met: (found) => found >= goal, sign: '≥' });
const atMost = (goal, figure, write = times) => ({ goal, figure, write, met: (found) => found <= goal, sign: '≤' });
const micros = (number) => `${short(number)} µs`;
const milliseconds = (number) => `${short(number)} ms`;
const rate = (number) => `${short(number)}/s`;

const manyQueued = (title, name) => {
  const of = { bench: 'queue', title };
  return [
    { ...of, name: `${name}, growth from 1,000 to 1,000,000 queued`, ...atMost(1.5, growth) },
    { ...of, name: `${name}, a task`, ...atMost(1, dearest, micros) },
    { ...of, name: `${name}, longest turn`, ...atMost(10, longestTurn, milliseconds) },
  ];
};

const GOALS = [
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, of bare promises', ...atLeast(0.75, shareOf('bare promises')) },
  { ...NOOP_200K, name: 'no-op, 200,000 in flight, of bare promises', ...atLeast(0.85, shareOf('bare promises')) },
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, best pool library', ...atLeast(40, bestLibrary) },
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, raw workers', ...atLeast(8, ratioTo('worker_threads by hand')) },
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, AsyncTask', ...atLeast(5, ratioTo('napi-rs AsyncTask')) },
  { ...MAIN_THREAD, name: 'main-thread time a task', ...atMost(0.3, median, micros) },
  { ...MAIN_THREAD, name: 'main-thread time a task, in bare promises', ...atMost(2.5, costOf('bare promises')) },
  {
    bench: 'pool',
    title: 'one no-op after the other, bound to one core',
    name: 'one at a time, pinned, best library',
    ...atLeast(4, bestLibrary),
  },
  {
    bench: 'pool',
    title: 'map of a no-op over 100,000 numbers',
    name: '`map` of 100,000 numbers',
    ...atLeast(20e6, median, rate),
  },
  ...manyQueued('submitted and finished, by number queued', 'submitted and finished'),
  ...manyQueued('all cancelled by one signal, by number queued', 'cancelled by one signal'),
  ...manyQueued('destroy() of a pool, by number queued', '`destroy()`'),
];

/** @param {{ name: string, result: object }[]} found */
function goalsTable(found) {
  const rows = GOALS.map(({ bench, title, name, goal, sign, figure, write, met }) => {
    const result = found.find((one) => one.name === bench && one.result.title === title)?.result;
    const measured = result && !result.skipped ? figure(result) : undefined;
    const known = measured !== undefined && Number.isFinite(measured);
    return `| ${name} | ${sign} ${write(goal)} | ${known ? write(measured) : 'not measured'} | ${known ? (met(measured) ? 'yes' : 'no') : ''} |`;
  });
  return ['| | goal | measured | reached |', '|---|---|---|---|', ...rows].join('\n');
}

module.exports = { GOALS, goalsTable };
