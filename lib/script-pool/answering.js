'use strict';

/**
 * Sends results, errors and reports from a worker to the owner of its tasks, each in the form that can carry it.
 *
 * A value that only Node's port can carry is posted there first; a placeholder in the queue must follow.
 */

const { pairsOf } = require('../codec/bytes');
const { binding } = require('../native');
const { ENDS, INPUTS, SCRIPTS } = require('../constants');
const { Moved } = require('./task');
const { ValueEncoder } = require('./value-encoder');

/** How a task ended, added to the form of its value. */
const END_FAILED = ENDS.FAILED << ENDS.SHIFT;
const END_VIA_FALLBACK = ENDS.VIA_FALLBACK << ENDS.SHIFT;
const END_VIA_FALLBACK_FAILED = ENDS.VIA_FALLBACK_FAILED << ENDS.SHIFT;

/** In the place of a form: the value goes by Node's port. */
const { VIA_FALLBACK } = SCRIPTS;
/** What is told of a task under way. */
const { LATEST, PART, REPORT } = SCRIPTS;

const NOTHING = Object.freeze([]);

class Answering {
  /** The answer to the task that ended last, as the native calls take it. */
  out = { form: 0, length: 0, value: undefined, parts: undefined };

  /** The arguments of native calls; set once the worker takes part. */
  call;

  #port;
  #results = new ValueEncoder();
  #reports = new ValueEncoder();

  /** @param {MessagePort} port of Node's, to the owner of the pool */
  constructor(port) {
    this.#port = port;
  }

  /** The result of a task becomes the answer; or an error, where it cannot cross. */
  succeeded(value) {
    try {
      if (Moved.is(value)) this.write(value.value, value.list);
      else this.write(value, NOTHING);
    } catch (error) {
      const { refusedResult } = require('./refused-result');
      this.failed(refusedResult(error, value));
    }
  }

  /**
   * A result becomes the answer.
   *
   * @param {unknown} value
   * @param {readonly object[]} list what of it is moved
   * @throws what Node, or a getter of the value, throws
   */
  write(value, list) {
    const { out } = this;
    const results = this.#results;
    if (list.length > 0) {
      this.#post(value, list, 'result');
    } else if (results.encode(value)) {
      out.form = results.form;
      out.length = results.length;
      out.value = results.value;
      out.parts = results.parts;
      return;
    } else {
      this.#post(results.takeForNode(), NOTHING, 'result');
    }
    this.#writeNotice(END_VIA_FALLBACK);
  }

  /** Answers with the value that a task threw. */
  failed(error) {
    const { out } = this;
    const { encodeThrown } = require('../task/thrown');
    let thrown = encodeThrown(error);
    if (thrown.carried.length > 0) {
      try {
        this.#postThrown(thrown);
        return this.#writeNotice(END_VIA_FALLBACK_FAILED);
      } catch (refusal) {
        const { TaskFailedError } = require('../errors');
        thrown = encodeThrown(new TaskFailedError(`the task threw what cannot cross: ${refusal?.message}`));
      }
    }
    const { bytes, length, parts } = thrown;
    out.form = INPUTS.WIRE | END_FAILED;
    out.length = length;
    out.value = bytes;
    out.parts = parts.length > 0 ? pairsOf(parts) : undefined;
  }

  /** The answer is the value that was posted last. */
  #writeNotice(form) {
    const { out } = this;
    out.form = form;
    out.length = 0;
    this.release();
  }

  /** Releases the answer's value after it was sent. */
  release() {
    this.out.value = undefined;
    this.out.parts = undefined;
  }

  /** Tells how far a task is. */
  report(job, value) {
    this.#tell(job, value, NOTHING, job.reportsLatest ? LATEST : REPORT, 'progress');
  }

  /** Tells what a task prints; each of it is wanted. */
  output(job, value) {
    this.#tell(job, value, NOTHING, REPORT, 'output');
  }

  /** Gives a part of a task's result. */
  part(job, value) {
    if (Moved.is(value)) this.#tell(job, value.value, value.list, PART, 'part');
    else this.#tell(job, value, NOTHING, PART, 'part');
  }

  #tell(job, value, list, kind, name) {
    const { call } = this;
    const reports = this.#reports;
    const goesByPort = list.length > 0 || !reports.encode(value);
    if (goesByPort) this.#post(list.length > 0 ? value : reports.takeForNode(), list, name);
    call[0] = job.id;
    call[3] = kind;
    if (goesByPort) {
      call[1] = VIA_FALLBACK;
      binding.scriptReport();
      return;
    }
    call[1] = reports.form;
    call[2] = reports.length;
    binding.scriptReport(reports.value, reports.parts);
  }

  /** Tells that the script is loaded. */
  ready(names) {
    this.#port.postMessage([false, { names }]);
    binding.reportReady();
  }

  /** Reports that the script does not load, with the value that it threw, or that its hook `setup` threw. */
  notReady(error, isOfSetup) {
    this.#tellThrown(error, { isOfSetup });
  }

  /** Tells that the hook `teardown` runs. */
  ending() {
    this.#port.postMessage([false, { isEnding: true }]);
    binding.reportReady();
  }

  /** Reports what the hook `teardown` threw. */
  notTornDown(error) {
    this.#tellThrown(error, { isEnding: true });
  }

  /** Tells of an error that the worker has outlived. */
  outlived(error) {
    this.#tellThrown(error, { isOutlived: true });
  }

  #tellThrown(error, told) {
    const { encodeThrown } = require('../task/thrown');
    this.#post({ ...told, thrown: forPort(encodeThrown(error)) }, NOTHING, 'error');
    binding.reportReady();
  }

  #postThrown(thrown) {
    this.#post(forPort(thrown), NOTHING, 'error');
  }

  #post(value, list, name) {
    const { sendValue } = require('./transfer');
    sendValue(value, list, (sent, isBundle, given) => this.#port.postMessage([isBundle, sent], given), name);
  }
}

/** The form of a thrown value for Node's port. */
function forPort({ bytes, length, parts, carried }) {
  return { wire: new Uint8Array(bytes.subarray(0, length)), parts, carried };
}

module.exports = { Answering };
