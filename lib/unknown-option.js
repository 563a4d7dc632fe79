'use strict';

/**
 * Makes the error for an option that does not exist. `validateOptions` (validators.js) finds such an option, and loads
 * this file only then.
 */

const { InvalidArgValueError } = require('./errors');

/** A longer name is shown cut, and no other is looked for. */
const LONGEST = 40;

/** Hints for option names that other packages use, or other calls of ours. The keys are in lower case. */
const HINTS = {
  filename: 'the script is the first argument: new WorkerPool(filename, options)',
  script: 'the script is the first argument: new WorkerPool(script, options)',
  name: "it is an option of a pool, and of a script's task; this call takes the name as its first argument",
  maxworkers: "here it is 'maxThreads'",
  maxworkerscount: "here it is 'maxThreads'",
  minworkers: "here it is 'minThreads'",
  poolsize: "here it is 'maxThreads'",
  size: "here it is 'maxThreads'",
  threads: "here it is 'maxThreads'",
  numworkers: "here it is 'maxThreads'",
  workers: "here it is 'maxThreads'",
  workercount: "here it is 'maxThreads'",
  maxqueuesize: "here it is 'maxQueue'",
  maxqueuedjobs: "here it is 'maxQueue'",
  concurrency: "here it is 'concurrentTasksPerWorker'",
  concurrenttasksperthread: "here it is 'concurrentTasksPerWorker'",
  maxinactivetime: "here it is 'idleTimeout'",
  workerterminatetimeout: "here it is 'killTimeout'",
  max: "here it is 'maxThreads'",
  min: "here it is 'minThreads'",
  workertype: 'the workers are always threads',
  runtime: 'the workers are always threads',
  forkopts: "the workers are threads: give Node's options of a Worker beside the others",
  forkargs: "the workers are threads: give Node's options of a Worker beside the others",
  timeout: 'it is an option of each task, run(name, input, { timeout }), and of close({ timeout })',
  signal: 'it is an option of each task: run(name, input, { signal })',
  deadline: 'it is an option of each task: run(name, input, { deadline })',
  runtimeout: 'it is an option of each task: run(name, input, { runTimeout })',
  priority: 'it is an option of each task: run(name, input, { priority })',
  transfer: 'it is an option of each task: run(name, input, { transfer })',
  dedupe: 'it is an option of run(): run(name, input, { dedupe })',
  cache: 'it is an option of run(): run(name, input, { cache })',
  retries: "it is an option of run() with a script's function: run(name, input, { retries })",
  taskqueue: 'every pool has a queue; give a task its place by run(name, input, { priority })',
  queuestrategy: 'the oldest task comes first, or the one with the highest `priority`: run(name, input, { priority })',
  workerchoicestrategy: 'the workers take their tasks from one queue, so none is chosen',
  errorhandler: "listen to the pool's 'error' instead",
  exithandler: "listen to the pool's 'workerDestroy' instead",
  terminatetimeout: "here it is 'killTimeout'",
  maxtasksperworker: "here it is 'recycle': { afterTasks }",
  closetimeout: 'give it to close(): pool.close({ timeout })',
  atomics: "here it is wait: 'block'",
  useatomics: "here it is wait: 'block'",
  maxmemorylimitbeforerecycle: "here it is 'recycle': { maxMemoryMb }",
  idlememorylimit: "here it is 'recycle': { maxMemoryMb }",
  isolateworkers: "here it is 'recycle': { afterTasks: 1 }",
  maxtasks: "here it is 'recycle': { afterTasks }",
  workeroptions: "give Node's options of a Worker beside the others",
  workerthreadopts: "give Node's options of a Worker beside the others",
  threadoptions: "give Node's options of a Worker beside the others",
  eval: 'the script of a pool is a file or a URL',
  oncreateworker: "listen to the pool's 'workerCreate' instead",
  onterminateworker: "listen to the pool's 'workerDestroy' instead",
  recordtiming: 'nothing has to be switched on: see pool.stats({ tasks: true })',
  workerhistogram: 'nothing has to be switched on: see pool.stats({ tasks: true })',
  tasksqueueoptions: "see 'maxQueue' and 'concurrentTasksPerWorker'",
  enabletasksqueue: 'every pool has a queue; maxQueue limits it',
  abortsignal: "here it is 'signal'",
  transferlist: "here it is 'transfer'",
  on: "here it is 'onProgress'",
  timeoutms: "here it is 'timeout'",
  ms: "here it is 'timeout'",
  maxpermits: "here it is 'max'",
  highwatermark: "here it is 'capacity'",
};

/**
 * The edit distance of two names, after Damerau and Levenshtein: how many times a letter is missing, added or wrong, or
 * two neighbouring letters are exchanged.
 */
function editDistance(one, other) {
  let before = [];
  let last = Array.from({ length: other.length + 1 }, (_, j) => j);
  for (let i = 1; i <= one.length; i++) {
    const row = last.slice();
    row[0] = i;
    for (let j = 1; j <= other.length; j++) {
      const wrong = one[i - 1] === other[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + wrong);
      const exchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (exchanged) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[other.length];
}

/** The known name that the program probably meant; undefined if none is near enough. */
function nearest(name, known) {
  let found;
  // One mistake for every three letters: more would be guessing.
  let limit = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < limit) [found, limit] = [candidate, distance];
  }
  return found;
}

/** "; did you mean 'x'?" where a name is near enough to a known one; else nothing. */
function meant(name, known) {
  const found = name.length <= LONGEST ? nearest(name, known) : undefined;
  return found === undefined ? '' : `; did you mean '${found}'?`;
}

/** The hint for a name of another package, unless it names an option that there is not here. */
function hintOf(name, known) {
  const key = name.toLowerCase();
  const hint = Object.hasOwn(HINTS, key) ? HINTS[key] : undefined;
  const option = hint === undefined ? undefined : /^here it is '(\w+)'/.exec(hint)?.[1];
  return option === undefined || known.has(option) ? hint : undefined;
}

/** "a, b and c". */
function listed(names) {
  const quoted = [...names].map((name) => `'${name}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

/**
 * @param {string} name the option that does not exist
 * @param {string} bag the name of the object that has the option, as the caller knows it: `options`
 * @param {ReadonlySet<string>} known
 * @param {Record<string, string>} [notHere] hints for options that exist, but that this call does not take
 */
function unknownOption(name, bag, known, notHere = {}) {
  const shown = name.length > LONGEST ? `${name.slice(0, LONGEST)}...` : name;
  const where = bag === 'options' ? '' : ` in "${bag}"`;
  const start = `unknown option '${shown}'${where}`;
  const hint = Object.hasOwn(notHere, name) ? notHere[name] : undefined;
  if (hint !== undefined) return new InvalidArgValueError(`${start}; ${hint}`);
  const isInOtherCase = [...known].some((option) => option.toLowerCase() === name.toLowerCase());
  const other = isInOtherCase ? undefined : hintOf(name, known);
  if (other !== undefined) return new InvalidArgValueError(`${start}; ${other}`);
  const near = meant(name, known);
  if (near !== '') return new InvalidArgValueError(`${start}${near}`);
  const all = known.size === 1 ? `the only option is ${listed(known)}` : `the options are ${listed(known)}`;
  return new InvalidArgValueError(`${start}; ${all}`);
}

module.exports = { meant, unknownOption };
