'use strict';

/**
 * In a worker of a pool: tasks that a running task submits, by a pool made there or opened there, get its deadline (of two the
 * earlier counts) and, unless they have one of their own, its priority. Loaded in such workers alone.
 *
 * Which task runs is what `task` of the package goes by (script-pool/task.js). What a map or a stream submits later on gets what the
 * call has got: it hands on `inner`.
 */

const { RUNNER, binding } = require('../native');
const { inheritFrom } = require('../task/task-context');
const { sooner } = require('../task/time-limits');

const passOver = () => {};

class Inherited {
  priority;
  deadline;
  inner = { priority: 0, join: passOver, enter: passOver, leave: passOver };

  constructor(priority, deadline) {
    this.priority = priority;
    this.deadline = deadline;
    this.inner.inner = this.inner;
    this.inner.join = (options) => {
      options.context = this.inner;
    };
  }

  join(options) {
    options.context = this;
    options.deadline = sooner(options.deadline, this.deadline);
  }

  enter() {}

  leave() {}
}

/** Of code that runs in no task, and of tasks that have neither. */
const NOTHING = new Inherited(0, undefined);

/** job -> what its tasks get */
const known = new WeakMap();

function ofRunning() {
  const job = binding[RUNNER].current;
  if (job === undefined || (job.deadline === undefined && job.priority === 0)) return NOTHING;
  let inherited = known.get(job);
  if (inherited === undefined) known.set(job, (inherited = new Inherited(job.priority, job.deadline)));
  return inherited;
}

inheritFrom(ofRunning);

/** Lets the tasks without options of a submitter have some, where there is anything to get. */
function inherit(submitter) {
  const { run } = submitter;
  submitter.run = (name, input, options, resolve, reject) => {
    const given = options === undefined && ofRunning() !== NOTHING ? {} : options;
    return run.call(submitter, name, input, given, resolve, reject);
  };
}

module.exports = { inherit };
