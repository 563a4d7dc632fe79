'use strict';

const { TaskTimeoutError } = require('../errors');
const { FORMS } = require('../constants');
const { NativePool } = require('../task/native-pool');
const { BoundInputs } = require('./bound-inputs');

/** The native side of a pool with a script: its answers may come by Node's ports, and its tasks' inputs may have gone so. */
class NativeScriptPool extends NativePool {
  /** The inputs that go to workers by Node's ports. */
  inputs = new BoundInputs(this);
  /** Set by the worker manager: called when a running task was cancelled. */
  workers;

  #fallbackPorts;

  constructor(binding, handle, fallbackPorts) {
    super(binding, handle);
    this.#fallbackPorts = fallbackPorts;
  }

  readAnswer(form, number, source, task) {
    if (form === FORMS.VIA_FALLBACK) return this.#fallbackPorts.take(number);
    if (form === FORMS.VIA_FALLBACK_REJECTED) throw require('../task/thrown').thrownFromPort(this.#fallbackPorts.take(number));
    if (form === FORMS.VIA_FALLBACK_LATE) {
      this.#fallbackPorts.skip(number);
      throw new TaskTimeoutError("the task's time was up", { task });
    }
    return super.readAnswer(form, number, source, task);
  }

  /** A running task that does not stop costs its worker, after a time. */
  cancel(id, reason) {
    const started = super.cancel(id, reason);
    this.inputs.letGo(id);
    return started;
  }
}

module.exports = { NativeScriptPool };
