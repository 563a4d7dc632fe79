'use strict';

/** What the native path and the rest are meant to reach, beside what was measured. */

const { short, times } = require('../harness/table');
const { best, isLibrary, isOther, ratioTo } = require('./read');

const costOf = (name) => (result) => 1 / ratioTo(name)(result);
const bestLibrary = (result) => best(result, isLibrary)?.ratio;
const bestOther = (result) => best(result, isOther)?.ratio;
const median = ({ entries }) => entries[0].median;
/** How many times better the second of our own rows is than a peer. */
const second = (ours, peer) => (result) => ratioTo(peer)(result) / ratioTo(ours)(result);
/** What ours takes longer than the peer, beside it in one process. */
const excess = ({ entries: [ours, peer] }) => ours.median - peer.median;
const dearest = ({ entries }) => Math.max(...entries.map((one) => one.median));
const growth = ({ entries }) => Math.max(...entries.slice(1).map(({ ratio }) => ratio));
const longestTurn = ({ entries }) => Math.max(...entries.map(({ also }) => also['longest turn, ms'].median));

const atLeast = (goal, figure, write = times) => ({ goal, figure, write, met: (found) => found >= goal, sign: '≥' });
const atMost = (goal, figure, write = times) => ({ goal, figure, write, met: (found) => found <= goal, sign: '≤' });
const micros = (number) => `${short(number)} µs`;
const milliseconds = (number) => `${short(number)} ms`;
const rate = (number) => `${short(number)}/s`;

const manyQueued = (title, name, most = '1,000,000') => {
  const of = { bench: 'queue', title };
  return [
    { ...of, name: `${name}, growth from 1,000 to ${most} queued`, ...atMost(1.5, growth) },
    { ...of, name: `${name}, a task`, ...atMost(1, dearest, micros) },
    { ...of, name: `${name}, longest turn`, ...atMost(10, longestTurn, milliseconds) },
  ];
};

const BARE = 'bare promises';
const BY_HAND = 'a mutex by hand on Atomics';
const NODE_PORT = "Node's MessagePort";
const JS_SORT = 'Float64Array.prototype.sort, blocking';
const JS_LOOP = 'a loop in JavaScript, blocking';
const RAW = 'worker_threads by hand';

const NOOP_20K = { bench: 'pool', title: 'no-op tasks, 20,000 in flight' };
const NOOP_200K = { bench: 'pool', title: 'no-op tasks, 200,000 in flight' };
const MAIN_THREAD = { bench: 'pool', title: 'main-thread time of a no-op, 20,000 in flight' };

const POOL = [
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, of bare promises', ...atLeast(0.75, ratioTo(BARE)) },
  { ...NOOP_200K, name: 'no-op, 200,000 in flight, of bare promises', ...atLeast(0.85, ratioTo(BARE)) },
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, best pool library', ...atLeast(40, bestLibrary) },
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, raw workers', ...atLeast(8, ratioTo(RAW)) },
  { ...NOOP_20K, name: 'no-op, 20,000 in flight, AsyncTask', ...atLeast(5, ratioTo('napi-rs AsyncTask')) },
  { ...MAIN_THREAD, name: 'main-thread time a task', ...atMost(0.3, median, micros) },
  { ...MAIN_THREAD, name: 'main-thread time a task, in bare promises', ...atMost(2.5, costOf(BARE)) },
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
  {
    bench: 'inputs',
    title: 'buffers of 1 KiB in, a number out, 20,000 in flight',
    name: 'buffers of 1 KiB in, best library',
    ...atLeast(15, bestLibrary),
  },
  {
    bench: 'inputs',
    title: 'small objects in, a number out, 20,000 in flight',
    name: 'small objects in, best library',
    ...atLeast(15, bestLibrary),
  },
  ...manyQueued('submitted and finished, by number queued', 'submitted and finished'),
  ...manyQueued('all cancelled by one signal, by number queued', 'cancelled by one signal'),
  ...manyQueued('destroy() of a pool, by number queued', '`destroy()`'),
  ...manyQueued(
    'waits for a mutex, all cancelled by one signal, by number waiting',
    'waits for a mutex cancelled',
    '80,000',
  ),
  {
    bench: 'delay',
    title: 'event loop delay while 2 threads are busy with tasks of 1 ms, 99th percentile',
    name: 'event loop delay, 99th percentile',
    ...atMost(2, median, milliseconds),
  },
];

const READY = { bench: 'start', title: 'from nothing until 4 workers have answered' };

const SCRIPTS = [
  {
    bench: 'scripts',
    title: 'tasks with a small object in and out, 5,000 in flight, 2 workers',
    name: 'script, small objects, best library',
    ...atLeast(10, bestLibrary),
  },
  {
    bench: 'scripts',
    title: 'buffers of 1 MiB in and out, moved, 16 in flight',
    name: 'script, 1 MiB moved, best of all',
    ...atLeast(1, bestOther),
  },
  { ...READY, name: 'pool of 4 ready, piscina', ...atLeast(1, ratioTo('piscina')) },
  { ...READY, name: 'pool of 4 ready, bare Workers', ...atLeast(0.95, ratioTo('bare Workers')) },
  {
    bench: 'start',
    title: 'first message of a Worker that requires the package',
    name: 'require in a Worker, more than a bare one',
    ...atMost(8, excess, milliseconds),
  },
];

const both = (one, goal) =>
  ['there', 'back'].map((way) => ({
    bench: 'channel',
    title: `${one}, ${way}`,
    name: `port, ${one}, ${way}`,
    ...atLeast(goal, ratioTo(NODE_PORT)),
  }));

const sharing = (title, name) => ({
  bench: 'share',
  title,
  name,
  ...atMost(1.3, costOf('postMessage to one reader')),
});

const CHANNELS = [
  sharing('a string of 10 MiB for 4 readers', 'share(), a string, of one postMessage'),
  sharing('a tree of 100,000 nodes for 4 readers', 'share(), a tree, of one postMessage'),
  ...both('nested object of 100 keys', 1.3),
  ...both('array of 100 records', 2),
  ...both('string of 1 MiB', 1.2),
  {
    bench: 'channel',
    title: 'round trip, one at a time, bound to one core',
    name: 'port, round trip, pinned',
    ...atLeast(1.6, ratioTo(NODE_PORT)),
  },
  {
    bench: 'channel',
    title: 'round trip, one at a time',
    name: 'port, round trip',
    ...atLeast(1, ratioTo(NODE_PORT)),
  },
];

const lock = (kind) => ({
  bench: 'locks',
  title: `uncontended lock and unlock, ${kind}`,
  name: `${kind}, of a mutex by hand`,
  ...atLeast(0.7, ratioTo(BY_HAND)),
});

const LOCKS = [
  {
    bench: 'shared',
    title: 'notify, nobody waits',
    name: 'notify with nobody waiting',
    ...atLeast(0.8, ratioTo('Atomics')),
  },
  lock('Mutex'),
  lock('RwLock, reading'),
  lock('RwLock, writing'),
  lock('Semaphore of one'),
  {
    bench: 'locks',
    title: 'two threads, additions under the lock: 1',
    name: 'two threads, short sections',
    ...atLeast(0.8, ratioTo(BY_HAND)),
  },
];

const SORT_1M = { bench: 'kernels', title: 'sorting 1 million random doubles' };
const SORT_10M = { bench: 'kernels', title: 'sorting 10 million random doubles' };
const PARALLEL = 'rust-workers, parallel on 2 threads';

const KERNELS = [
  {
    bench: 'kernels',
    title: 'sumSqrt(3), a million square roots, one thread',
    name: 'sumSqrt, of JavaScript in a Worker',
    ...atLeast(3, ratioTo('the same in JavaScript in a Worker')),
  },
  { ...SORT_1M, name: 'sort of 1 million, one thread', ...atLeast(10, ratioTo(JS_SORT)) },
  { ...SORT_10M, name: 'sort of 10 million, one thread', ...atLeast(10, ratioTo(JS_SORT)) },
  { ...SORT_10M, name: 'sort of 10 million, parallel', ...atLeast(18, second(PARALLEL, JS_SORT)) },
  {
    bench: 'kernels',
    title: 'sum of 10 million doubles',
    name: 'sum, one thread, of a loop',
    ...atLeast(1, ratioTo(JS_LOOP)),
  },
  {
    bench: 'kernels',
    title: 'histogram of 10 million bytes',
    name: 'histogram, one thread, of a loop',
    ...atLeast(1, ratioTo(JS_LOOP)),
  },
];

const GOALS = [...POOL, ...SCRIPTS, ...CHANNELS, ...LOCKS, ...KERNELS];

/**
 * @param {(bench: string, title: string) => object | undefined} find a contest's result
 * @returns {string} Markdown
 */
function goalsTable(find) {
  const rows = GOALS.map(({ bench, title, name, goal, sign, figure, write, met }) => {
    const result = find(bench, title);
    const measured = result && !result.skipped ? figure(result) : undefined;
    const known = measured !== undefined && Number.isFinite(measured);
    const told = known ? `${write(measured)} | ${met(measured) ? 'yes' : '**no**'}` : 'not measured | ';
    return `| ${name} | ${sign} ${write(goal)} | ${told} |`;
  });
  return ['| | goal | measured | reached |', '|---|---|---|---|', ...rows].join('\n');
}

module.exports = { GOALS, goalsTable };
