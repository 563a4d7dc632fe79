'use strict';

/** Posts a burst of messages, and counts those that arrive: the same at either end, for either kind of port. */

/** A function that posts a burst of a case. Values to be transferred are made here, before the clock starts. */
function prepare({ count, make, transfer }) {
  const values = transfer ? Array.from({ length: count }, make) : undefined;
  const value = transfer ? undefined : make();
  return (port) => {
    if (values === undefined) for (let i = 0; i < count; i++) port.postMessage(value);
    else for (const buffer of values) port.postMessage(buffer, [buffer]);
  };
}

/** A function that resolves when so many messages have come through the port. */
function listen(port) {
  let left = 0;
  let done;
  port.on('message', () => {
    if (--left === 0) done();
  });
  return (count) => {
    left = count;
    return new Promise((resolve) => (done = resolve));
  };
}

module.exports = { prepare, listen };
