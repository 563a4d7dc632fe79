'use strict';

// Random programs on one mutex, beside a model that knows which guard holds it: what each guard says after each step, and
// which calls are refused.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Condvar, Mutex } = require('../..');
const { createRandom } = require('../support/random-values');
const { codeOf } = require('./support');

const REFUSED = 'ERR_RW_LOCK_NOT_HELD';

class Program {
  mutex = new Mutex();
  other = Mutex.from(this.mutex);
  condvar = new Condvar();
  guards = [];
  /** Promises of guards, in their order. */
  queue = [];
  /** Guards that wait for a notify, in their order, with the promises of the waits. */
  lent = [];
  /** The guard that holds the mutex. */
  holder = null;
  done = { granted: 0, refused: 0, lent: 0 };

  /** The mutex is released: the next of the queue has it. */
  async pass() {
    this.holder = null;
    if (this.queue.length > 0) this.take(await this.queue.shift());
  }

  take(guard) {
    this.done.granted++;
    this.guards.push(guard);
    this.holder = guard;
  }

  /** A call that is refused unless `isAllowed`, and releases the mutex if it is not. */
  async releasing(isAllowed, call) {
    assert.equal(await codeOf(call), isAllowed ? 'no error' : REFUSED);
    if (isAllowed) await this.pass();
    else this.done.refused++;
  }

  steps = {
    tryLock: () => {
      const guard = this.mutex.tryLock();
      assert.equal(guard !== null, this.holder === null);
      if (guard !== null) this.take(guard);
    },
    lockSync: () => {
      if (this.holder === null) this.take(this.mutex.lockSync());
      else assert.throws(() => this.mutex.lockSync(), { code: 'ERR_RW_LOCK_DEADLOCK' });
    },
    lock: async () => {
      const promise = this.mutex.lock();
      if (this.holder === null) this.take(await promise);
      else this.queue.push(promise);
    },
    unlock: () => this.releasing(this.holder !== null, () => this.mutex.unlock()),
    unlockByOther: () => this.releasing(false, () => this.other.unlock()),
    release: (guard) => this.releasing(guard === this.holder, () => guard.release()),
    async dispose(guard) {
      guard[Symbol.dispose]();
    },
    wait: async (guard) => {
      const waits = this.condvar.wait(guard);
      if (guard !== this.holder) {
        this.done.refused++;
        return assert.rejects(waits, { code: REFUSED });
      }
      this.done.lent++;
      this.lent.push({ guard, waits });
      return this.pass();
    },
    notify: async () => {
      if (this.holder !== null || this.lent.length === 0) return;
      const { guard, waits } = this.lent.shift();
      assert.equal(this.condvar.notifyOne(), 1);
      assert.equal(await waits, true);
      this.holder = guard;
    },
  };

  async step(name, guard) {
    if (guard === undefined && ['release', 'dispose', 'wait'].includes(name)) return;
    const disposes = name === 'dispose' && guard === this.holder;
    await this.steps[name](guard);
    if (disposes) await this.pass();
    for (const one of this.guards) assert.equal(one.held, one === this.holder, name);
  }

  /** Nothing is left that waits, and the mutex is free. */
  async end() {
    while (this.holder !== null) await this.step('unlock');
    while (this.lent.length > 0) {
      await this.step('notify');
      await this.step('unlock');
    }
    this.other.tryLock().release();
  }
}

test('random programs: a mutex knows which of its guards holds it', async () => {
  const sum = { granted: 0, refused: 0, lent: 0 };
  for (let seed = 1; seed <= 250; seed++) {
    const random = createRandom(seed);
    const program = new Program();
    const names = Object.keys(program.steps);
    const told = [];
    try {
      for (let i = 0; i < 80; i++) {
        const name = names[random(names.length)];
        told.push(name);
        await program.step(name, program.guards.at(-1 - random(3)));
      }
      await program.end();
    } catch (error) {
      error.message += `\nseed ${seed}: ${told.join(' ')}`;
      throw error;
    }
    for (const key of Object.keys(sum)) sum[key] += program.done[key];
  }
  // The programs do what they are for.
  for (const [key, count] of Object.entries(sum)) assert.ok(count > 300, `${key}: ${count}`);
});
