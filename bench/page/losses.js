'use strict';

/** Where a peer is better, and why: a sentence for each. */

const { times } = require('../harness/table');
const { isOther } = require('./read');

/** A loss within what repeats differ by is none. */
const LOSS = 0.95;

/** The first that fits: a pattern for "benchmark: contest: peer", and the reason. */
const REASONS = [
  [/^pool: .*: bare promises/, 'The ceiling, and no peer: promises alone, without a thread, a queue or an answer.'],
  [
    /^pool: one no-op.*: napi-rs AsyncTask/,
    'libuv runs one function and comes back; it has no queue that is shared, no limits, no priorities and no way to stop a task.',
  ],
  [
    /^pool: no-op tasks by number in flight: (1|10|100): /,
    'With few tasks in flight the way to a thread and back counts, and whether the kernel wakes a core for it.',
  ],
  [/^pool: one no-op after the other: /, 'With both cores free the kernel wakes a core, or does not: the figures of one round have two centres.'],
  [/^locks: two threads.*: /, 'The mutex by hand has two states to check; ours also knows its owner, and gives the lock on when a thread ends.'],
  [/^locks: .*: /, 'The mutex by hand has no owner, no time limit and no answer to a thread that ended with the lock.'],
  [/^shared: notify/, 'Rust threads wait elsewhere than V8 does, so both must be told.'],
  [/^shared: /, 'Each access checks its index, and goes through a method.'],
  [
    /^channel: ArrayBuffer.*transferred/,
    "Ours takes the memory out of V8's hands and gives it back in another thread, which Node does without leaving its own code.",
  ],
  [/^channel: (string of 1 MiB|Buffer)/, 'Copying is most of it, and ours copies once more: into memory of Rust.'],
  [/^channel: round trip/, 'Between two event loops that sleep, what counts is how the kernel wakes them.'],
  [/^channel: /, 'The encoder is JavaScript; that of Node is in C++, and large trees are where that counts.'],
  [/^scripts: buffers.*moved/, 'A moved buffer takes two steps with us: the task is queued in Rust, and its memory follows by a port of Node.'],
  [/^scripts: bytes.*(256 KiB|1 MiB)|^scripts: buffers.*copied/, 'The copy takes nearly all of the time, and ours is made by the encoder and not by V8.'],
  [/^scripts: /, 'With little in flight, the way to a worker and back counts, and whether the kernel wakes a core for it.'],
  [/^start: first result.*: /, 'The pool compiles what all its workers load before it starts the first one, which a single worker does not repay.'],
  [/^start: first message/, 'The package has to be loaded; a bare Worker loads nothing.'],
  [/^start: /, 'Each worker loads more than a bare one: the task queue, the codec and the hooks.'],
  [/^kernels: sha256 of one buffer of 64 bytes/, 'The way to a thread and back takes longer than so small a hash. Do not use a pool for that.'],
  [/^kernels: sha256 of 64/, 'OpenSSL has hand-written code for this processor.'],
  [/^delay: /, 'On two cores the main thread has none of its own while two threads are busy, and the kernel decides who waits.'],
];

/** The first cannot be a loss; other rows of ours are no peers. */
const losses = ({ contest: { entries = [] } }) => entries.slice(1).filter((entry) => isOther(entry) && entry.ratio < LOSS);

/** @param {{ bench: string, contest: object }[]} all */
function lossesList(all) {
  const found = all
    // How one of ours grows has no peer.
    .filter(({ bench }) => bench !== 'queue')
    .flatMap((one) => losses(one).map((entry) => ({ ...one, entry })));
  const rows = found.map(({ bench, contest, entry }) => {
    const reason = REASONS.find(([pattern]) => pattern.test(`${bench}: ${contest.title}: ${entry.name}`))?.[1];
    if (reason === undefined) throw new Error(`bench/page/losses.js gives no reason for "${bench}: ${contest.title}: ${entry.name}"`);
    return `| ${contest.title} | ${entry.name} | ${times(entry.ratio)} | ${reason} |`;
  });
  return ['| | peer | rust-workers is better by | why |', '|---|---|---|---|', ...rows].join('\n');
}

module.exports = { lossesList };
