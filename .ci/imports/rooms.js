'use strict';

/**
 * The rooms of the house, from the top down, and which rooms each of them may import.
 *
 * A room is a folder (`src/pool/`, with all that is in it) or a set of files. A file belongs to the room with the longest
 * entry that fits. A room may import only rooms that stand below it here, so that arrows run down.
 */

/** What every room of Rust may import. */
const BOTTOM = ['src/cancel', 'src/panic', 'src/allocation', 'src/sync', 'src/error', 'src/exported_numbers'];

const RUST = [
  {
    room: 'src/lib.rs',
    files: ['src/lib.rs'],
    imports: [...BOTTOM],
    why: 'The crate: it declares the rooms, and re-exports the error.',
  },
  {
    room: 'src/api',
    files: ['src/api/'],
    imports: [
      'src/node', 'src/packs', 'src/tasks', 'src/pool', 'src/channel', 'src/value', 'src/shared', 'src/seal', 'src/os_thread', ...BOTTOM,
    ],
    why: 'The exports check arguments and call the engine; no room imports them.',
  },
  {
    room: 'src/node',
    files: ['src/node/'],
    imports: ['src/pool', 'src/channel', 'src/value', 'src/shared', 'src/lines', 'src/os_thread', ...BOTTOM],
    why: 'It ties the engine to one JavaScript environment; it does not know which tasks there are.',
  },
  {
    room: 'src/packs',
    files: ['src/packs/'],
    imports: ['src/tasks', 'src/pool', 'src/channel', 'src/value', 'src/shared', 'src/wait_limit', ...BOTTOM],
    why: 'Tasks of libraries are registered as the built-in ones are; what they may use of the engine, they are given here.',
  },
  {
    room: 'src/tasks',
    files: ['src/tasks/'],
    imports: ['src/pool', 'src/channel', 'src/value', 'src/shared', 'src/wait_limit', ...BOTTOM],
    why: 'A task may use the engine, and split its work over the pool that runs it; it knows nothing of Node.',
  },
  {
    room: 'src/pool',
    files: ['src/pool/'],
    imports: ['src/value', 'src/lines', 'src/os_thread', 'src/wait_limit', ...BOTTOM],
    why: 'The pool runs what implements its trait; it does not import the tasks.',
  },
  {
    room: 'src/channel',
    files: ['src/channel/'],
    imports: ['src/value', 'src/wait_limit', ...BOTTOM],
    why: 'A channel carries values; a port waits without the pool.',
  },
  {
    room: 'src/value',
    files: ['src/value/'],
    imports: ['src/shared', ...BOTTOM],
    why: 'A value may alias a region of shared memory; it does not know the channel that carries it.',
  },
  {
    room: 'src/shared',
    files: ['src/shared/'],
    imports: ['src/wait_limit', ...BOTTOM],
    why: 'Memory, waits and locks serve tasks and JavaScript alike; they import neither.',
  },
  {
    room: 'src/seal',
    files: ['src/seal.rs'],
    imports: ['src/error'],
    why: 'Names and stamps of messages: bytes in, bytes out.',
  },
  {
    room: 'src/lines',
    files: ['src/lines.rs'],
    imports: ['src/sync'],
    why: 'A queue with one reader: what a pool answers, and what an environment reads.',
  },
  {
    room: 'src/os_thread',
    files: ['src/os_thread.rs'],
    imports: [],
    why: "What the operating system knows of a thread, for a pool's threads and its script workers.",
  },
  {
    room: 'src/wait_limit',
    files: ['src/wait_limit.rs'],
    imports: ['src/cancel', 'src/sync'],
    why: 'How a Rust thread blocks, and what ends that early, for channels, shared memory and pools.',
  },
  {
    room: 'src/cancel',
    files: ['src/cancel.rs'],
    imports: ['src/sync', 'src/error', 'src/exported_numbers'],
    why: 'Every wait asks the token, so the token imports none of them.',
  },
  {
    room: 'src/panic',
    files: ['src/panic.rs'],
    imports: ['src/error'],
    why: 'It turns a panic into an error, in any room.',
  },
  {
    room: 'src/allocation',
    files: ['src/allocation.rs'],
    imports: ['src/error'],
    why: 'Allocation that may fail, for any room.',
  },
  { room: 'src/exported_numbers', files: ['src/exported_numbers.rs'], imports: [], why: 'How a room lists the numbers that JavaScript knows too.' },
  { room: 'src/sync', files: ['src/sync.rs', 'src/sync/'], imports: [], why: 'Locks, atomics and the clock: the real ones, or those of loom or shuttle.' },
  { room: 'src/error', files: ['src/error.rs'], imports: [], why: 'Every error code, for any room.' },
];

/** What every room of JavaScript may import. */
const GROUND = ['lib/runtime', 'lib/native', 'lib/worker-threads', 'lib/errors'];

const JAVASCRIPT = [
  {
    room: 'lib/bullmq',
    files: ['lib/bullmq/'],
    imports: ['lib/native', 'lib/errors'],
    why: 'A pool is handed in, and used by its public methods; no room imports what needs an optional package.',
  },
  {
    room: 'index.js',
    files: ['index.js', 'lib/main.js', 'lib/index.mjs', 'lib/native/without-addon.js'],
    imports: [
      'lib/pool', 'lib/script-pool', 'lib/worker', 'lib/transfer-types', 'lib/locks', 'lib/ports', 'lib/shared-buffer',
      'lib/shared-value', 'lib/transfer', ...GROUND,
    ],
    why: 'The public API: it puts the subsystems together.',
  },
  {
    room: 'lib/pool',
    files: ['lib/pool/'],
    imports: [
      'lib/light', 'lib/exec', 'lib/script-pool', 'lib/structure', 'lib/flow', 'lib/seeing', 'lib/task', 'lib/shared-buffer', 'lib/transfer', 'lib/codec',
      'lib/delivery', ...GROUND,
    ],
    why: 'The pool that users see, over native and script tasks.',
  },
  {
    room: 'lib/light',
    files: ['lib/light/'],
    imports: ['lib/exec', ...GROUND],
    why: 'The sources of the functions of `pool.light`; the calls are the pool\'s.',
  },
  {
    room: 'lib/exec',
    files: ['lib/exec/'],
    imports: [...GROUND],
    why: 'The sources of functions: it reads and checks them, and runs none.',
  },
  {
    room: 'lib/script-pool',
    files: ['lib/script-pool/'],
    imports: [
      'lib/structure', 'lib/flow', 'lib/worker', 'lib/task', 'lib/transfer-types', 'lib/shared-buffer', 'lib/fallback', 'lib/transfer', 'lib/codec',
      'lib/delivery', 'lib/module-names', ...GROUND,
    ],
    why: 'Workers that take script tasks; the pool above hands itself in.',
  },
  {
    room: 'lib/structure',
    files: ['lib/structure/'],
    imports: ['lib/task', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'Scopes call the public methods of the pool that is handed in.',
  },
  {
    room: 'lib/flow',
    files: ['lib/flow/'],
    imports: ['lib/task', 'lib/transfer', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'Many inputs of one task: the pool hands in what submits one.',
  },
  {
    room: 'lib/seeing',
    files: ['lib/seeing/'],
    imports: ['lib/delivery', ...GROUND],
    why: 'What a pool shows of itself, loaded when it is asked for; the pool above hands in what it needs.',
  },
  {
    room: 'lib/worker',
    files: ['lib/worker/'],
    imports: ['lib/transfer', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'The superset of `worker_threads`; it works without any pool.',
  },
  {
    room: 'lib/task',
    files: ['lib/task/'],
    imports: ['lib/ports', 'lib/shared-buffer', 'lib/transfer', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'Inputs, answers and promises of tasks, of native and script tasks alike; so it imports neither kind of pool.',
  },
  {
    room: 'lib/transfer-types',
    files: ['lib/transferable-types.js'],
    imports: ['lib/locks', 'lib/ports', 'lib/shared-buffer', 'lib/shared-value', 'lib/transfer', ...GROUND],
    why: 'The list of the classes that can be transferred, so that the transfer itself need not know them.',
  },
  {
    room: 'lib/locks',
    files: ['lib/locks/'],
    imports: ['lib/transfer', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'Locks stand in shared memory, whichever class gives it.',
  },
  {
    room: 'lib/ports',
    files: ['lib/ports/'],
    imports: ['lib/fallback', 'lib/transfer', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'Channels between any two threads: of ours, of Node, of a task.',
  },
  {
    room: 'lib/shared-buffer',
    files: ['lib/shared-buffer/'],
    imports: ['lib/transfer', 'lib/codec', 'lib/delivery', ...GROUND],
    why: 'Shared memory, and waits on it.',
  },
  {
    room: 'lib/shared-value',
    files: ['lib/shared-value/'],
    imports: ['lib/transfer', 'lib/codec', ...GROUND],
    why: 'Values that stand once in memory and are read by all threads; it needs no pool and no port.',
  },
  {
    room: 'lib/fallback',
    files: ['lib/fallback/'],
    imports: ['lib/transfer', 'lib/codec', ...GROUND],
    why: "Node's port beside a queue of ours, for channels and script pools alike; it knows neither.",
  },
  {
    room: 'lib/transfer',
    files: ['lib/transfer/'],
    imports: ['lib/codec', ...GROUND],
    why: 'How objects of ours go in messages of Node; each class registers itself here.',
  },
  {
    room: 'lib/codec',
    files: ['lib/codec/'],
    imports: [...GROUND],
    why: 'Values to bytes and back; classes of ours come in as extensions.',
  },
  {
    room: 'lib/delivery',
    files: ['lib/delivery.js', 'lib/answer-errors.js', 'lib/abort.js', 'lib/cancellable.js'],
    imports: [...GROUND],
    why: 'What comes back from Rust, and what ends a wait early, for everything that waits.',
  },
  {
    room: 'lib/runtime',
    files: ['lib/runtime/', 'lib/debug-log.js', 'lib/forgotten.js', 'lib/region-view.js', 'lib/user-code.js'],
    imports: ['lib/native', 'lib/worker-threads', 'lib/errors', 'lib/module-names'],
    why: 'What is taken from Node, documented or not, each with its fallback; it does not know its users.',
  },
  {
    room: 'lib/install',
    files: ['lib/install/'],
    imports: ['lib/native', 'lib/module-names'],
    why: 'It runs before there is an addon.',
  },
  {
    room: 'lib/module-names',
    files: ['lib/runtime/module-source.js', 'lib/script-pool/worker-modules.js'],
    imports: [],
    why: 'Which modules belong together, for the bundle and for what a worker gets compiled; it works without the addon.',
  },
  {
    room: 'lib/native',
    files: ['lib/native/', 'lib/constants.js'],
    imports: ['lib/worker-threads', 'lib/errors'],
    why: 'The addon, found and loaded once for the process, and the numbers that both languages know.',
  },
  {
    room: 'lib/worker-threads',
    files: ['lib/runtime/worker-threads.js'],
    imports: [],
    why: "Node's own worker_threads, read before anybody can put something else in its place.",
  },
  {
    room: 'lib/errors',
    files: ['lib/errors.js', 'lib/inspection.js', 'lib/validators.js', 'lib/unknown-option.js'],
    imports: [],
    why: 'Errors, and the checks that throw them; it works without the addon.',
  },
];

/** Words that may stand only in these rooms: attributes and paths of Rust, names and strings of JavaScript. */
const WORDS = [
  {
    word: /(?:^|::)sys(?:::|$)/,
    language: 'rust',
    rooms: ['src/node'],
    why: 'Raw Node-API stands only under src/node, as newtypes bound to their call.',
  },
  {
    word: /^napi(?:_derive|_sys)?(?:::|$)/,
    language: 'rust',
    rooms: ['src/node', 'src/api'],
    why: 'The engine knows nothing of Node.',
  },
  { word: /^#\[napi\]$/, language: 'rust', rooms: ['src/api'], why: 'Exports stand only under src/api.' },
  {
    word: /^(?:_(?:cache|destroyed|extensions|load|tickCallback)|cachedData|(?:.*\.)?k(?:CreateEvent|HybridDispatch|PublicPort))$/,
    language: 'javascript',
    rooms: ['lib/runtime'],
    why: 'What Node does not document stands only in lib/runtime, one file for each capability, with its fallback.',
  },
];

module.exports = { rooms: [...RUST, ...JAVASCRIPT], words: WORDS };
