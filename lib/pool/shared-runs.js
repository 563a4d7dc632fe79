'use strict';

/**
 * Runs that several callers share, that the pool's cache may spare, or that are begun again: the options `dedupe`, `cache` and
 * `retries`.
 *
 * Each caller is a task of its own to its signal and its time limits, and leaves alone when one of these ends it. The run has no
 * limit of theirs, but a signal that aborts when the last caller has left. All else (priority, transfer, ...) is the first
 * caller's; the input of a caller that joins is neither read nor transferred.
 *
 * All callers get the same output, or the same error: the same object, as with DataLoader, p-memoize and Go's singleflight.
 */

const { InvalidArgValueError } = require('../errors');
const { nextTick } = require('../runtime/globals');
const { Pending } = require('../task/pending');
const { SCRIPT_RUN, OF_SCRIPTS, submitOptions } = require('../task/options');
const { CONTEXT } = require('../task/task-context');
const { validateInteger, validateOptions, validateString } = require('../validators');
const { locateScript } = require('../script-pool/script-location');
const { NATIVE, NOBODY, SCRIPT, unknownTask } = require('./task-router');
const { PoolCache } = require('./pool-cache');
const { SharedRun } = require('./shared-run');

const OWN = ['cache', 'dedupe', 'retries'];
const KNOWN = new Set([...SCRIPT_RUN, ...OWN]);
const KNOWN_NATIVE = { ...OF_SCRIPTS, retries: "it is for a script's functions: a native task loses no worker" };

/** What stays with each caller. */
const OF_CALLER = new Set(['deadline', 'onProgress', 'signal', 'timeout']);

const MOST_RETRIES = 1000;

class SharedRuns {
  cache;
  /** How many callers have joined a run, and how often one was begun again. */
  joined = 0;
  retried = 0;

  #native;
  #admission;
  /** Task and key -> the run that callers may join. */
  #underWay = new Map();

  /**
   * @param {import('../task/native-pool').NativePool} native
   * @param {import('./admission').Admission} admission
   * @param {{ max: number, ttl: number }} cache its settings
   */
  constructor(native, admission, cache) {
    this.#native = native;
    this.#admission = admission;
    this.cache = new PoolCache(cache, (key, task) => this.#forget(key, task));
  }

  /**
   * @param {import('./task-router').TaskRouter | import('./native-submitter').NativeSubmitter |
   *   import('../script-pool/script-submitter').ScriptSubmitter} tasks
   * @param {number} owner of the name
   */
  run(tasks, owner, task, input, given, resolve, reject) {
    try {
      if (owner === NOBODY) throw unknownTask(this.#native, task, this.#native.workers !== undefined);
      const { dedupe, cache, retries, run } = divide(given, owner === NATIVE);
      const checked = submitOptions(run, owner === NATIVE);
      const { signal, outerSignal, timeout, deadline, context, onProgress, filename, name: named = task, transfer } = checked;
      // Now: a relative path depends on who calls.
      if (filename !== undefined) run.filename = locateScript(filename, 'options.filename');
      const name = filename === undefined ? named : `${run.filename} ${named}`;
      if (retries > 0 && transfer !== undefined) {
        throw new InvalidArgValueError(
          '"options.retries" and "options.transfer" cannot stand together: what was given away once is not there to be given again',
        );
      }
      const caller = new Pending(resolve, reject, this.#native, name);
      const facade = { catchUp: () => this.#native.catchUp(), cancel: () => overAtOnce(caller), settlesLater: true };
      caller.pool = facade;
      // As if it had been submitted: its end is told by `cancel`.
      caller.id = 1;
      caller.control({ signal, outerSignal, timeout, deadline, context });
      if (caller.ended) return;
      const kept = cache === undefined ? undefined : this.cache.take(name, cache);
      if (kept !== undefined) return caller.resolve(kept.value);
      if (onProgress !== undefined) caller.listen(onProgress);
      const key = dedupe ?? cache;
      const place = key === undefined ? undefined : `${name.length}:${name}${key}`;
      let shared = place === undefined ? undefined : this.#underWay.get(place);
      const isNew = shared === undefined;
      if (isNew) {
        for (const option of OF_CALLER) delete run[option];
        // What the caller's scope, or the task that runs here, has given it.
        run.priority = checked.priority;
        run.runTimeout = checked.runTimeout;
        // Who joins later may listen.
        const listens = onProgress !== undefined || (owner === SCRIPT && place !== undefined);
        // Where the first cannot leave, nobody is the last to leave; and a task that can be stopped may need its worker alone.
        const isStoppable = [signal, outerSignal, timeout, deadline].some((end) => end !== undefined);
        shared = new SharedRun(this, tasks, { task, name, listens, isStoppable, place, input, options: run, retries });
        if (place !== undefined) this.#underWay.set(place, shared);
      } else {
        this.joined++;
      }
      facade.cancel = () => shared.leave(caller);
      shared.join(caller, cache);
      if (isNew) shared.begin();
    } catch (error) {
      reject(error);
    }
  }

  /** A run has ended, or everybody has left it. */
  ended(run) {
    if (run.place !== undefined && this.#underWay.get(run.place) === run) this.#underWay.delete(run.place);
  }

  /** Runs under way are not to be kept, nor joined. */
  #forget(key, task) {
    for (const [place, run] of this.#underWay) {
      if (!run.isForCache(key, task)) continue;
      run.cacheKeys.clear();
      this.#underWay.delete(place);
    }
  }

  /** Calls `again` once there is room for a task of the script; not in the middle of what ends its worker. */
  beginAgain(again) {
    this.retried++;
    nextTick(() => {
      if (!this.#admission.isClosed && this.#admission.refusal(true) !== null) {
        this.#admission.wait({ go: again, fail: again }, SCRIPT);
      } else {
        again();
      }
    });
  }
}

/** A caller has ended before it had a run. */
function overAtOnce(caller) {
  caller.over();
  return false;
}

/** Reads each option once: ours, and those of the task. */
function divide(given, isNative) {
  const known = isNative ? new Set([...KNOWN].filter((name) => !Object.hasOwn(KNOWN_NATIVE, name))) : KNOWN;
  const bag = validateOptions(given, 'options', known, isNative ? KNOWN_NATIVE : undefined);
  const { dedupe, cache, retries = 0 } = bag;
  if (dedupe !== undefined) validateString(dedupe, 'options.dedupe');
  if (cache !== undefined) validateString(cache, 'options.cache');
  validateInteger(retries, 'options.retries', 0, MOST_RETRIES);
  const run = { [CONTEXT]: bag[CONTEXT] ?? given[CONTEXT] };
  for (const name of known) {
    if (OWN.includes(name)) continue;
    const { [name]: value } = bag;
    if (value !== undefined) run[name] = value;
  }
  return { dedupe, cache, retries, run };
}

module.exports = { SharedRuns };
