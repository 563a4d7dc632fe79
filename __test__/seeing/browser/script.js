'use strict';

// The functions of work.js.

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

exports.resize = (ms) => sleep(ms);
exports.thumbnail = (ms) => sleep(ms / 3);
exports.render = (ms) => sleep(ms * 2);
exports.parse = (ms) => {
  if (ms > 62) throw new Error('as asked');
  sleep(ms / 8);
};
