'use strict';

/**
 * A pool whose order can be repeated (`deterministic` in its options): when its next task may begin.
 *
 * The native side lets one task through at a time, and chooses it (src/pool/gate.rs). It does so only when this asks: a turn of the event
 * loop after a task was submitted, or answered. By then the code that awaited the answer has run and has submitted what it would,
 * so what there is to choose from depends on the program alone.
 */

const { setImmediate } = require('../runtime/clock');
const { binding } = require('../native');

/** @param {import('../task/native-pool').NativePool} native of which each task is counted in `inFlight` */
function takeSteps(native) {
  let count = native.inFlight;
  let isDue = false;
  native.step = () => {
    if (binding.stepPool(native.handle)) native.workers.need();
  };
  const stepLater = () => {
    isDue = false;
    native.step();
  };
  Object.defineProperty(native, 'inFlight', {
    get: () => count,
    set(value) {
      count = value;
      if (count === 0 || isDue) return;
      isDue = true;
      setImmediate(stepLater);
    },
  });
}

module.exports = { takeSteps };
