'use strict';

/** The `waitAsync` calls under way in this environment: their promises, their timers, and the hold on the event loop. */

const { LONGEST_TIMER, clearTimeout, now, setTimeout } = require('../runtime/clock');
const { deliveryOf } = require('../delivery');
const { ASYNC_WAITS, EVENTS } = require('../constants');
const { hostCopy } = require('../runtime/host-realm');
const { binding } = require('../native');

/** The immediate results of the native side; a number from 0 on is the timeout of a wait that has begun. */
const { NOT_EQUAL, TIMED_OUT } = ASYNC_WAITS;

class AsyncWaits {
  #delivery;
  /** id -> { resolve, timer, ends } */
  #waiting = new Map();
  #last = 0;

  constructor(delivery) {
    this.#delivery = delivery;
  }

  nextId() {
    return ++this.#last;
  }

  /** The wait `id` has begun; `resolve` gets its outcome. */
  add(id, timeout, resolve) {
    const wait = { resolve, timer: undefined, ends: now() + timeout };
    this.#waiting.set(id, wait);
    // Unlike `Atomics.waitAsync` (nodejs/node#61941): a promise that is awaited keeps the process alive.
    this.#delivery.hold(1);
    if (timeout !== Infinity) this.#arm(id, wait);
  }

  #arm(id, wait) {
    const rest = wait.ends - now();
    wait.timer = setTimeout(() => this.#late(id, wait), Math.min(Math.max(rest, 0), LONGEST_TIMER));
  }

  #late(id, wait) {
    if (now() < wait.ends) this.#arm(id, wait);
    // Woken already: its event is on the way.
    else if (binding.cancelWait(id)) this.#end(id, wait, 'timed-out');
  }

  /** An event: the wait has been woken. */
  deliver(id) {
    const wait = this.#waiting.get(id);
    if (wait !== undefined) this.#end(id, wait, 'ok');
  }

  #end(id, wait, outcome) {
    this.#waiting.delete(id);
    this.#delivery.hold(-1);
    clearTimeout(wait.timer);
    wait.resolve(outcome);
  }
}

let waits;

/** The waits of this environment. */
const waitsOf = () =>
  (waits ??= deliveryOf(binding).handler(EVENTS.WAIT_ENDED, (delivery) => new (hostCopy(module).AsyncWaits)(delivery)));

/**
 * The arguments are those of `Atomics.waitAsync`, and so is what is returned and thrown.
 *
 * @returns {{ async: false, value: 'not-equal' | 'timed-out' } | { async: true, value: Promise<'ok' | 'timed-out'> }}
 */
function waitAsync(typedArray, index, value, timeout) {
  const id = waitsOf().nextId();
  const answer = binding.waitAsync(typedArray, index, value, timeout, id);
  if (answer === NOT_EQUAL) return { async: false, value: 'not-equal' };
  if (answer === TIMED_OUT) return { async: false, value: 'timed-out' };
  return { async: true, value: new Promise((resolve) => waits.add(id, answer, resolve)) };
}

module.exports = { AsyncWaits, waitAsync };
