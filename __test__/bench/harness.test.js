'use strict';

/** The benchmarks' own parts: what a ratio is, what a run writes, and that the tables ask for contests that exist. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const { holdPair } = require('../../bench/harness/contest');
const { read, save } = require('../../bench/harness/results');
const { runContest } = require('../../bench/harness/start');
const { table } = require('../../bench/harness/table');
const { GOALS, goalsTable } = require('../../bench/page/goals');
const { QUESTIONS, summaryTable } = require('../../bench/page/summary');

const BENCH = path.join(__dirname, '..', '..', 'bench');

/** A rival whose rounds give these numbers. */
const rival = (name, numbers, told = []) => ({
  name,
  open: () => {
    const left = [...numbers];
    return { round: () => (told.push(name), left.shift()) };
  },
});

describe('a pair', () => {
  test('takes turns, begins with the other one each time, and leaves the warm-ups out', async () => {
    const told = [];
    const rivals = [rival('a', [0, 10, 20, 30], told), rival('b', [0, 1, 1, 1], told)];
    const { columns, rounds, ratio } = await holdPair({ better: 'more', rounds: 3, warmups: 1, rivals }, [0, 1], {});
    assert.deepEqual(told.join(''), 'baabbaab');
    assert.equal(rounds, 3);
    assert.deepEqual(
      columns.map(({ value }) => value),
      [
        { median: 20, min: 10, max: 30 },
        { median: 1, min: 1, max: 1 },
      ],
    );
    assert.equal(ratio, 20);
  });

  test('is compared round by round: a load that slows some rounds of both changes nothing', async () => {
    const rivals = [rival('a', [1, 10, 1, 10, 10]), rival('b', [2, 20, 2, 20, 20])];
    const of = (better) => holdPair({ better, rounds: 5, warmups: 0, rivals }, [0, 1], {});
    assert.equal((await of('less')).ratio, 2);
    assert.equal((await of('more')).ratio, 0.5);
  });

  test('may have further columns', async () => {
    const rivals = [
      rival('a', [
        { value: 1, p99: 5 },
        { value: 3, p99: 7 },
      ]),
    ];
    const { columns } = await holdPair({ better: 'less', rounds: 2, warmups: 0, rivals }, [0], {});
    assert.deepEqual(columns[0].p99, { median: 6, min: 5, max: 7 });
  });
});

test('a contest runs in processes of its own, one for each pair, and says when and where', () => {
  const bench = path.relative(BENCH, path.join(__dirname, 'fixtures', 'processes.js'));
  const [contest] = require('./fixtures/processes').contests;
  const lacks = (need) => (need === 'nothing' ? 'it is not there' : undefined);
  const result = runContest(bench, 0, contest, { lacks });
  assert.deepEqual(
    result.entries.map(({ name }) => name),
    ['ours', 'one', 'two'],
  );
  const [ours, ...peers] = result.entries.map(({ also }) => also.pid);
  assert.ok(ours.min !== ours.max, 'ours has been in two processes');
  assert.deepEqual(peers.map(({ median }) => median).sort(), [ours.min, ours.max].sort());
  assert.ok(!peers.some(({ median }) => median === process.pid));
  assert.match(result.measured.date, /^\d{4}-\d\d-\d\d \d\d:\d\d$/);
  assert.equal(result.measured.node, process.version);
  assert.match(table(result), /^\*\*processes\*\*[\s\S]*\| one \| 2\.00 \| 2\.00 … 2\.00 \|/);
  const skipped = runContest(bench, 0, { ...contest, needs: 'nothing' }, { lacks });
  assert.equal(table(skipped), '**processes**: not measured: it is not there');
});

test('a run of one contest keeps what the others are stamped with, and drops those that are gone', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rw-bench-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const bench = { title: 'Both', contests: [{ title: 'first' }, { title: 'second' }] };
  const result = (title, date) => ({ title, measured: { date }, entries: [] });
  save('both', { ...bench, contests: [...bench.contests, { title: 'gone' }] }, result('gone', 'old'), folder);
  save('both', bench, result('second', 'old'), folder);
  save('both', bench, result('first', 'new'), folder);
  save('both', bench, { title: 'second', skipped: 'no cargo' }, folder);
  assert.deepEqual(read('both', folder), { title: 'Both', contests: [result('first', 'new'), result('second', 'old')] });
});

describe('every contest', () => {
  const names = fs.readdirSync(BENCH).filter((file) => file.endsWith('.js') && file !== 'index.js');
  const contests = names.flatMap((file) =>
    require(path.join(BENCH, file)).contests.map((contest) => ({ bench: file.slice(0, -3), ...contest })),
  );

  test('of the goals and of the first table exists', () => {
    const missing = [...GOALS, ...QUESTIONS].filter(
      ({ bench, title }) => !contests.some((one) => one.bench === bench && one.title === title),
    );
    assert.deepEqual(missing, []);
    assert.ok(GOALS.length > 40);
  });

  test('has a title of its own, and rivals with names of their own', () => {
    const titles = contests.map(({ bench, title }) => `${bench}: ${title}`);
    assert.equal(new Set(titles).size, titles.length);
    for (const { title, rivals, better, unit } of contests) {
      const all = rivals.map(({ name }) => name);
      assert.equal(new Set(all).size, all.length, title);
      assert.ok(['more', 'less'].includes(better) && unit.length > 0, title);
    }
  });
});

test('the tables tell what was found, and what was not measured', () => {
  const measured = { cpu: 'A Processor', cores: 2 };
  const entries = [
    { name: 'rust-workers', median: 1_000_000, also: {} },
    { name: 'one', library: true, median: 50_000, ratio: 20, also: {} },
    { name: 'two', library: true, median: 20_000, ratio: 50, also: {} },
    { name: 'bare promises', median: 2_000_000, ratio: 0.5, also: {} },
  ];
  const noop = { title: 'no-op tasks, 20,000 in flight', unit: 'tasks/s', measured, entries };
  const find = (bench, title) => (bench === 'pool' && title === noop.title ? noop : undefined);
  assert.match(goalsTable(find), /^\| no-op, 20,000 in flight, of bare promises \| ≥ 0\.75× \| 0\.50× \| \*\*no\*\* \|$/m);
  assert.match(goalsTable(find), /^\| no-op, 20,000 in flight, best pool library \| ≥ 40× \| 20× \| \*\*no\*\* \|$/m);
  assert.match(goalsTable(find), /^\| main-thread time a task \| ≤ 0\.300 µs \| not measured \|  \|$/m);
  assert.equal(
    summaryTable(find).split('\n').at(-1),
    '| native tasks that do nothing, a second | 1.00 M | one: 50.0 k | 20× | A, 2 cores |',
  );
});
