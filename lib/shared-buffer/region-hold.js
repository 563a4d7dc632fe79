'use strict';

/**
 * Keeps the meeting place of a SharedArrayBuffer's waiters, and the native side's hold on its memory, for as long as
 * somebody here has the `RegionHold`. While it is held the memory is not collected; the holder itself may be.
 */

const { forgotten } = require('../forgotten');
const { binding } = require('../native');
const { wholeView } = require('./whole-view');

/** SharedArrayBuffer -> WeakRef<RegionHold>. A strong value would keep itself alive: its hold keeps the key. */
const holds = new WeakMap();
const released = forgotten('releaseRegion');

class RegionHold {
  /** The native side's number. */
  handle;

  constructor(buffer) {
    this.handle = binding.holdRegion(wholeView(buffer));
    released.register(this, this.handle);
  }
}

/**
 * The hold on a buffer's region, made when there is none.
 *
 * @param {SharedArrayBuffer} buffer
 * @returns {RegionHold}
 */
function holdRegion(buffer) {
  let hold = holds.get(buffer)?.deref();
  if (hold === undefined) {
    hold = new RegionHold(buffer);
    holds.set(buffer, new WeakRef(hold));
  }
  return hold;
}

module.exports = { holdRegion };
