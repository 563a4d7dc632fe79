'use strict';

/** What each plot shows, as a Vega-Lite specification with the numbers of bench/results/ in it. */

const { find } = require('../../bench/harness/results');
const { short } = require('../../bench/harness/table');
const { INK, OURS, PALE, REST, colourOf } = require('./colours');

const BAR = 30;
const WIDTH = 470;
const HEIGHT = 280;
/** Without a browser, Vega takes texts for longer than they are. */
const NO_LIMIT = 1_000;
const NAMES_WIDTH = 278;
/** `10k`, and `0.1` where `~s` alone says `100m`. */
const NUMBER = "datum.value < 1 ? toString(datum.value) : format(datum.value, '~s')";
/** Lines of a logarithmic scale. */
const POWERS = Array.from({ length: 13 }, (_, power) => 10 ** (power - 3));
const NAMES = {
  domain: false,
  ticks: false,
  labelPadding: 8,
  labelFontSize: 12,
  labelLimit: NO_LIMIT,
  minExtent: NAMES_WIDTH,
  maxExtent: NAMES_WIDTH,
};

function contest(bench, title) {
  const result = find(bench, title);
  if (result === undefined || result.skipped)
    throw new Error(`bench/results has no '${title}'; run npm run bench -- ${bench}`);
  return result;
}

const isOurs = (name) => name.startsWith('rust-workers');

const chart = (title, subtitle, rest) => ({
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  title: { text: title, subtitle, anchor: 'start', offset: 18 },
  ...rest,
});

/** A bar for each row of `{ name, value }`, with its value behind it. */
function bars(title, subtitle, rows, write = short) {
  const values = rows.map(({ name, value }) => ({ name, value, label: write(value), ours: isOurs(name) }));
  const most = Math.max(...values.map(({ value }) => value));
  const y = { field: 'name', type: 'nominal', sort: null, title: null, axis: NAMES };
  const x = { field: 'value', type: 'quantitative', axis: null, scale: { domain: [0, most * 1.12] } };
  const colour = { condition: { test: 'datum.ours', value: OURS }, value: REST };
  return chart(title, subtitle, {
    width: WIDTH,
    height: { step: BAR },
    data: { values },
    encoding: { y, x },
    layer: [
      { mark: { type: 'bar', height: 20, cornerRadiusEnd: 3 }, encoding: { color: colour } },
      {
        mark: { type: 'text', align: 'left', dx: 6, fontSize: 13 },
        encoding: { text: { field: 'label' }, color: { value: INK } },
      },
    ],
  });
}

/** A line for each series of `{ name, x, value }`. */
function lines(title, subtitle, rows, { xTitle, yTitle, xType = 'ordinal', yScale = 'log' }) {
  const names = [...new Set(rows.map(({ name }) => name))];
  return chart(title, subtitle, {
    width: WIDTH,
    height: HEIGHT,
    data: { values: rows },
    encoding: {
      x: { field: 'x', type: xType, sort: null, title: xTitle, axis: { labelAngle: 0, grid: false } },
      y: {
        field: 'value',
        type: 'quantitative',
        title: yTitle,
        scale: yScale === 'log' ? { type: 'log' } : { type: 'linear', zero: true },
        axis: {
          labelExpr: NUMBER,
          domain: false,
          ticks: false,
          ...(yScale === 'log' ? { values: POWERS } : { tickCount: 5 }),
        },
      },
      color: {
        field: 'name',
        type: 'nominal',
        title: null,
        sort: null,
        scale: { domain: names, range: names.map(colourOf) },
        legend: { symbolType: 'stroke', symbolStrokeWidth: 3, labelFontSize: 12, rowPadding: 6, labelLimit: NO_LIMIT },
      },
    },
    layer: [
      { mark: { type: 'line', strokeWidth: 2 } },
      {
        transform: [{ filter: "indexof(datum.name, 'rust-workers') == 0" }],
        mark: { type: 'line', strokeWidth: 4 },
      },
      { mark: { type: 'point', filled: true, size: 45, opacity: 1 } },
    ],
  });
}

/** For each row from the 10th to the 90th percentile, its middle half thicker, a stroke at the median, a dot at the 99th. */
function spreads(title, subtitle, rows) {
  const values = rows.map(({ name, median, also }) => ({
    name,
    ours: isOurs(name),
    p50: median,
    ...Object.fromEntries(['p10', 'p25', 'p75', 'p90', 'p99'].map((key) => [key, also[key].median])),
  }));
  const colour = { condition: { test: 'datum.ours', value: OURS }, value: REST };
  const x = (field, more) => ({ field, type: 'quantitative', ...more });
  // The same for all, so that two of them can be compared.
  const scale = { type: 'log', domain: [1, 10_000], clamp: true };
  const axis = { labelExpr: NUMBER, values: POWERS.filter((power) => power >= 1), domain: false, ticks: false };
  return chart(title, subtitle, {
    width: WIDTH,
    height: { step: BAR },
    data: { values },
    encoding: {
      y: { field: 'name', type: 'nominal', sort: null, title: null, axis: NAMES },
      color: colour,
    },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 3, strokeCap: 'round' },
        encoding: { x: x('p10', { scale, axis, title: 'µs' }), x2: { field: 'p90' } },
      },
      { mark: { type: 'bar', height: 12, cornerRadius: 3 }, encoding: { x: x('p25'), x2: { field: 'p75' } } },
      { mark: { type: 'tick', thickness: 3, size: 18 }, encoding: { x: x('p50'), color: { value: INK } } },
      { mark: { type: 'point', filled: true, size: 40, opacity: 1 }, encoding: { x: x('p99') } },
    ],
  });
}

/** Several plots, one below the other. */
const below = (title, subtitle, parts) =>
  chart(title, subtitle, {
    vconcat: parts.map(({ title: inner, $schema, ...rest }) => ({
      ...rest,
      title: { text: inner.text, anchor: 'start', fontSize: 13, fontWeight: 600, color: PALE, offset: 6 },
    })),
    spacing: 24,
  });

const milliseconds = (number) => `${short(number)} ms`;

const SMALL_TASKS = 'tasks with a small object in and out, 5,000 in flight, 2 workers';
/** Styles of our own that only bench/README.md compares. */
const isStyle = ({ name }) => /^rust-workers, (the seed|wait)/.test(name);
const compared = (bench, title) => contest(bench, title).entries.filter((entry) => !isStyle(entry));
const asRows = (entries) => entries.map(({ name, median: value }) => ({ name, value }));
const mostFirst = (rows) => rows.sort((one, other) => other.value - one.value);
const leastFirst = (rows) => rows.sort((one, other) => one.value - other.value);

/** One row for each rival of each contest whose title begins so; the rest of the title is x. */
function series(bench, beginning, xs, valueOf = ({ median }) => median) {
  return xs.flatMap((x) =>
    contest(bench, `${beginning}${x}`).entries.map((entry) => ({ name: entry.name, x, value: valueOf(entry, x) })),
  );
}

const SIZES = { '64 B': 64, '1 KiB': 1024, '16 KiB': 16 * 1024, '256 KiB': 256 * 1024, '1 MiB': 1024 * 1024 };
const BY_WORKERS = 'tasks of 0.1 ms of work, 64 in flight, by workers: ';
const IN_FLIGHT = ['1', '10', '100', '1,000', '10,000', '100,000'];

/** Name of the file -> specification. */
const PLOTS = {
  throughput: () =>
    bars(
      'JavaScript tasks a second, more is better',
      'A small object in and out, 5,000 tasks in flight, 2 workers each',
      mostFirst(asRows(compared('scripts', SMALL_TASKS))),
    ),
  'in-flight': () =>
    lines(
      'Native tasks a second by tasks in flight, more is better',
      'A task that does nothing, 2 threads each',
      series('pool', 'no-op tasks by number in flight: ', IN_FLIGHT),
      { xTitle: 'tasks in flight', yTitle: 'tasks a second' },
    ),
  payload: () =>
    lines(
      'Bytes to a worker and back by size, more is better',
      'Copied, 16 tasks in flight, 2 workers each',
      series('scripts', 'bytes in and out, copied, 16 in flight, by size: ', Object.keys(SIZES)),
      { xTitle: 'size', yTitle: 'tasks a second' },
    ),
  threads: () =>
    lines(
      'Tasks of 0.1 ms by workers, more is better',
      `64 tasks in flight, on ${contest('scripts', `${BY_WORKERS}2`).measured.cores} cores`,
      series('scripts', BY_WORKERS, ['1', '2', '4', '8']),
      { xTitle: 'workers', yTitle: 'tasks a second', yScale: 'linear' },
    ),
  latency: () =>
    below(
      'One task after the other, µs, less is better',
      'On one core. 10th to 90th percentile, median, and a dot at the 99th',
      [
        spreads(
          'JavaScript, a small object in and out',
          '',
          compared('scripts', 'one such task after the other, bound to one core'),
        ),
        spreads('Native, nothing to do', '', compared('pool', 'one no-op after the other, bound to one core')),
      ],
    ),
  start: () =>
    below('Start-up, ms, less is better', 'From before require, or from nothing, until answers are there', [
      bars(
        'First result of a program, one worker',
        '',
        leastFirst(asRows(contest('start', 'first result of a program, from before require').entries)),
        milliseconds,
      ),
      bars(
        '4 workers have answered',
        '',
        leastFirst(asRows(contest('start', 'from nothing until 4 workers have answered').entries)),
        milliseconds,
      ),
    ]),
  memory: () =>
    below('Memory, less is better', 'Resident memory of the process', [
      bars(
        'A thread, one of 64, that has answered',
        '',
        leastFirst(asRows(contest('start', 'memory of 64 threads, each having answered').entries)),
        (kibibytes) => (kibibytes < 1024 ? `${short(kibibytes)} KiB` : `${short(kibibytes / 1024)} MiB`),
      ),
      bars(
        '1,000,000 small messages that nobody has read',
        '',
        leastFirst(
          ['rust-workers, capacity 1,000', 'rust-workers', "Node's MessagePort"].flatMap((name) =>
            asRows(contest('channel', `memory for 1,000,000 small objects that nobody reads: ${name}`).entries),
          ),
        ),
        (mebibytes) => `${short(mebibytes)} MiB`,
      ),
    ]),
  queue: () =>
    lines(
      'Time for a task by number queued, less is better',
      'Microseconds a task, of all that are queued',
      ['submitted and finished', 'all cancelled by one signal', 'destroy() of a pool'].flatMap((name) =>
        contest('queue', `${name}, by number queued`).entries.map(({ name: x, median }) => ({
          name,
          x: x.replace(' queued', ''),
          value: median,
        })),
      ),
      { xTitle: 'tasks queued', yTitle: 'µs a task' },
    ),
};

module.exports = { PLOTS };
