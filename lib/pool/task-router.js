'use strict';

/** Submits tasks of a pool with a script to whom their name belongs: the native tasks, or the script. */

const { NATIVE, SCRIPT, UNDECIDED, ownerOf, unknownTask } = require('./task-owner');
const { HeldTask } = require('../script-pool/held-task');

class TaskRouter {
  #pool;
  #native;
  #script;
  #room;

  /**
   * @param {import('../script-pool/native-script-pool').NativeScriptPool} pool
   * @param {import('./native-submitter').NativeSubmitter} native
   * @param {import('../script-pool/script-submitter').ScriptSubmitter} script
   * @param {import('./waiting-room').WaitingRoom} room
   */
  constructor(pool, native, script, room) {
    this.#pool = pool;
    this.#native = native;
    this.#script = script;
    this.#room = room;
  }

  ownerOf(name) {
    return ownerOf(name, this.#pool.workers.exports);
  }

  run(name, input, options, resolve, reject) {
    switch (this.ownerOf(name)) {
      case SCRIPT:
        return this.#script.run(name, input, options, resolve, reject);
      case NATIVE:
        return this.#native.run(name, input, options, resolve, reject);
      case UNDECIDED:
        return this.#hold(name, input, options, resolve, reject);
      default:
        reject(unknownTask(name));
    }
  }

  #hold(name, input, options, resolve, reject) {
    const submit = (...given) => new Promise((done, failed) => this.run(name, ...given, done, failed));
    new HeldTask(resolve, reject, this.#pool, name, this.#room, submit).hold(input, options);
  }
}

module.exports = { TaskRouter };
