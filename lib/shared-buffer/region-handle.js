'use strict';

/**
 * Keeps the native side's region of a SharedArrayBuffer, with the queue of its waiters, for as long as the `RegionHandle`
 * is reachable here. While it is kept the memory is not collected; the handle itself may be.
 */

const { forgotten } = require('../forgotten');
const { binding } = require('../native');
const { regionView } = require('../region-view');

/** SharedArrayBuffer -> WeakRef<RegionHandle>. A strong value would keep itself alive: its region keeps the key. */
const handles = new WeakMap();
const released = forgotten('releaseRegion');

class RegionHandle {
  /** The native side's. */
  number;

  constructor(buffer) {
    this.number = binding.holdRegion(regionView(buffer));
    released.register(this, this.number);
  }
}

/**
 * The handle of a buffer's region, made when there is none.
 *
 * @param {SharedArrayBuffer} buffer
 * @returns {RegionHandle}
 */
function regionHandle(buffer) {
  let handle = handles.get(buffer)?.deref();
  if (handle === undefined) {
    handle = new RegionHandle(buffer);
    handles.set(buffer, new WeakRef(handle));
  }
  return handle;
}

module.exports = { regionHandle };
