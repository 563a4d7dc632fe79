'use strict';

/**
 * The events of native tasks that call functions. Heard from the first pool on; what answers them (native-calls.js) is loaded for the first
 * task that does.
 */

const { EVENTS } = require('../constants');
const { hostCopy } = require('../runtime/host-realm');

class CallEvents {
  #delivery;
  #calls;

  constructor(delivery) {
    this.#delivery = delivery;
  }

  deliver(...call) {
    this.#calls ??= new (require('./native-calls').NativeCalls)(this.#delivery);
    this.#calls.deliver(...call);
  }

  over(call) {
    this.#calls?.over(call);
  }

  act() {
    this.#calls?.act();
  }
}

const overOf = (calls) => ({ deliver: (call) => calls.over(call) });

/**
 * Tasks may call functions from now on. In the host's copy: what hangs on the delivery would keep the realm of another.
 *
 * @param {import('../delivery').Delivery} delivery
 */
function hearCalls(delivery) {
  const calls = delivery.handler(EVENTS.NATIVE_CALL, () => new (hostCopy(module).CallEvents)(delivery));
  delivery.handler(EVENTS.NATIVE_CALL_OVER, () => hostCopy(module).overOf(calls));
}

module.exports = { CallEvents, hearCalls, overOf };
