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
    /: napi-rs AsyncTask/,
    "It takes the next of libuv's threads; it has no limit, no priorities and no way to stop a task that runs.",
  ],
  [
    /^(pool|scripts|inputs): .*(one (no-op|such task)|in flight: (1|10|100):|by workers|by size: (64 B|1 KiB))/,
    'With little in flight, what counts is the way to a thread and back, and whether the kernel wakes a core for it.',
  ],
  [
    /^scripts: .*moved/,
    'Memory that is moved goes to the worker by a port of Node, and the task by the queue: two things that the worker must get.',
  ],
  [/^scripts: .*(copied|by size)/, 'The copy takes nearly all of the time.'],
  [
    /^delay: /,
    'Our threads take their next task without the main thread, so they are never idle, and on two cores they leave it less of them.',
  ],
  [/^start: first result/, 'A pool with a script loads more of the package before its first worker starts.'],
  [/^start: first message/, 'A bare Worker loads nothing.'],
  [/^start: /, 'A worker of ours loads more than a bare one.'],
  [
    /^channel: .*(transferred|SharedArrayBuffer)/,
    'Only Node can move such an object, so it goes by a port of Node besides.',
  ],
  [/^channel: (string of 1 MiB|Buffer)/, 'The copy takes nearly all of the time.'],
  [/^channel: round trip/, 'Between two event loops that sleep, what counts is how the kernel wakes them.'],
  [/^channel: /, "Our encoder is JavaScript and Node's is C++."],
  [/^shared: notify/, 'Ours also wakes threads of Rust.'],
  [/^shared: round trip/, 'What counts is how the kernel wakes a thread.'],
  [/^shared: /, 'Ours is a method around the same operation, and checks its index.'],
  [/^locks: /, 'The mutex by hand has no owner and no time limit; when a thread ends with it, the others wait forever.'],
  [
    /^kernels: sha256 of one buffer of 64 bytes/,
    'The way to a thread and back takes longer than so small a hash. Do not use a pool for that.',
  ],
  [/^kernels: sha256 of 64/, "OpenSSL's code, without the way to a thread and back."],
  [/^kernels: /, 'The way to a thread and back is in it.'],
  [/^light: plain computing/, 'V8 compiles to machine code, and light JavaScript is interpreted: it is for rules, and not for computing.'],
  [/^light: (first result|memory).*quickjs-emscripten/, 'It runs on the main thread, without the way to a thread and back, and its tenants need no pool.'],
  [/^light: first result.*node:vm/, 'It runs on the main thread, without the way to a thread and back.'],
  [/^light: a rule.*(node:vm|quickjs)/, 'A rule of a microsecond costs less than its way to a thread and back; on the main thread nothing else runs meanwhile.'],
  [/^light: a rule/, 'Each call sets its world back, and its object goes through two codecs.'],
  [/^light: from the stop/, 'The stop is seen between two operations of the interpreter; a native one ends first.'],
  [/^share: /, 'Writing the value to shared memory is in it.'],
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
    const loss = `${bench}: ${contest.title}: ${entry.name}`;
    const [, reason] = REASONS.find(([pattern]) => pattern.test(loss)) ?? [];
    if (reason === undefined) throw new Error(`bench/page/losses.js gives no reason for "${loss}"`);
    return `| ${contest.title} | ${entry.name} | ${times(entry.ratio)} | ${reason} |`;
  });
  return ['| | peer | rust-workers is better by | why |', '|---|---|---|---|', ...rows].join('\n');
}

module.exports = { lossesList };
