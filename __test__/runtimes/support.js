'use strict';

/** What the checks use. They run on Node, Bun and Deno, so nothing here is of a test runner's. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
const rw = require(ROOT);

const script = (name) => path.join(__dirname, 'scripts', name);

/** A thread of ours that runs functions, which are sent as texts. */
class Thread {
  worker;

  constructor(options) {
    this.worker = new rw.Worker(script('thread.cjs'), options);
  }

  /** Runs `(rw, ...args) => …` there; resolves to what it returns. */
  async run(program, args = [], transfer = []) {
    const answer = once(this.worker, 'message');
    this.worker.postMessage({ text: String(program), args }, transfer);
    const [{ value, failure }] = await answer;
    if (failure !== undefined) throw new Error(failure);
    return value;
  }

  /** Starts a function that does not come back: nothing is awaited but what it says by a message of its own. */
  start(program, args = [], transfer = []) {
    this.worker.postMessage({ text: String(program), args }, transfer);
  }

  end() {
    return this.worker.terminate();
  }
}

/** Resolves to what a promise is rejected with. */
async function rejection(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  assert.fail(`resolved to ${String(value)}`);
}

module.exports = { ROOT, Thread, assert, once, path, rejection, rw, script };
