'use strict';

/** The first table of README.md: a dozen questions, ours, the best peer. */

const { short, times } = require('../harness/table');
const { machine } = require('../harness/environment');
const { best, isLibrary, isOther } = require('./read');

/** `peers`: which rivals are asked for; `peers: isOther` where the language itself is the peer. */
const QUESTIONS = [
  {
    bench: 'scripts',
    title: 'tasks with a small object in and out, 5,000 in flight, 2 workers',
    question: 'JavaScript tasks a second, a small object in and out',
    peers: isLibrary,
  },
  {
    bench: 'scripts',
    title: 'one such task after the other, bound to one core',
    question: 'one such task after the other, on one core',
    peers: isLibrary,
  },
  {
    bench: 'scripts',
    title: 'buffers of 1 MiB in and out, moved, 16 in flight',
    question: 'buffers of 1 MiB moved to a worker and back',
    peers: isOther,
  },
  {
    bench: 'start',
    title: 'from nothing until 4 workers have answered',
    question: 'a pool of 4 workers ready',
    peers: isOther,
  },
  {
    bench: 'pool',
    title: 'no-op tasks, 20,000 in flight',
    question: 'native tasks that do nothing, a second',
    peers: isLibrary,
  },
  {
    bench: 'pool',
    title: 'main-thread time of a no-op, 20,000 in flight',
    question: 'time of the main thread for such a task',
    peers: isLibrary,
  },
  {
    bench: 'pool',
    title: 'one no-op after the other, bound to one core',
    question: 'one such task after the other, on one core',
    peers: isLibrary,
  },
  {
    bench: 'inputs',
    title: 'buffers of 1 KiB in, a number out, 20,000 in flight',
    question: 'native tasks with 1 KiB in and a number out, a second',
    peers: isLibrary,
  },
  {
    bench: 'delay',
    title: 'event loop delay while 2 threads are busy with tasks of 1 ms, 99th percentile',
    question: 'event loop delay while the pool is busy, 99th percentile',
    peers: isLibrary,
  },
  {
    bench: 'start',
    title: 'memory of 64 threads, each having answered',
    question: 'memory of a native thread',
    peers: isOther,
  },
  { bench: 'channel', title: 'flat object, there', question: 'small objects through a channel, a second', peers: isOther },
  {
    bench: 'kernels',
    title: 'sorting 1 million random doubles',
    question: 'sorting a million doubles',
    peers: isOther,
  },
  {
    bench: 'locks',
    title: 'uncontended lock and unlock, Mutex',
    question: 'locking and unlocking a free mutex, a second',
    peers: isOther,
  },
];

const perSecond = /^(.*)\/s$/;

/** `919 k` for 919,000 tasks/s, `8.45 ms`. */
const written = (number, unit) =>
  perSecond.test(unit) ? short(number) : `${short(number)} ${unit.replace(/ a thread$/, '')}`;

/**
 * @param {(bench: string, title: string) => object | undefined} find a contest's result
 * @returns {string} Markdown
 */
function summaryTable(find) {
  const rows = QUESTIONS.flatMap(({ bench, title, question, peers }) => {
    const result = find(bench, title);
    if (result === undefined || result.skipped) return [];
    const peer = best(result, peers);
    const [ours] = result.entries;
    return [
      `| ${question} | ${written(ours.median, result.unit)} | ${peer.name}: ${written(peer.median, result.unit)} | ` +
        `${times(peer.ratio)} | ${machine(result.measured)} |`,
    ];
  });
  return ['| | rust-workers | best peer | better by | machine |', '|---|---|---|---|---|', ...rows].join('\n');
}

module.exports = { QUESTIONS, summaryTable };
