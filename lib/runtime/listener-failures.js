'use strict';

/**
 * The script's own 'message' listeners, and which task's message they failed at.
 *
 * Node calls them, and makes an uncaught exception of what they throw. A script that handles such exceptions by itself
 * lives on, and the task whose message it was would never be answered. So listeners are added with a cover around each
 * that reports a failure and rethrows it.
 *
 * Relies on: Node's ports adding and removing every listener (`on`, `once`, `onmessage`) by their own `addEventListener` and
 * `removeEventListener` (in Node 20 to 26).
 * On Bun and Deno the port is made to do so (worker-channel.js).
 * Without: a task whose listener throws, in a script that handles uncaught exceptions by itself, is not answered.
 * Test: __test__/runtime/listener-failures.test.js, __test__/script-pool/failures.test.js.
 */

const { isNode } = require('./which');

/** listener -> its cover; so that it can be removed, and counts as one however often it is added. */
const covers = new WeakMap();

/** Whether Node's event targets accept this as a listener. */
const isListener = (listener) =>
  typeof listener === 'function' || (typeof listener === 'object' && listener !== null);

function covered(listener, failed) {
  let cover = covers.get(listener);
  if (cover !== undefined) return cover;
  cover = function (value) {
    const notify = failed();
    let result;
    try {
      result = typeof listener === 'function'
        ? Reflect.apply(listener, this, [value])
        : listener.handleEvent(value);
    } catch (error) {
      notify?.(error);
      throw error;
    }
    if (notify !== undefined && result instanceof Promise) Promise.prototype.then.call(result, undefined, notify);
    return result;
  };
  covers.set(listener, cover);
  return cover;
}

/**
 * @param {MessagePort} port the script's `parentPort`
 * @param {() => ((error: unknown) => void) | undefined} failed asked before a listener is called: called when it
 *   throws, or when the promise that it returns is rejected
 */
function coverListeners(port, failed) {
  if (!isNode) require('./worker-channel').prepareParentPort(port);
  const { addEventListener, removeEventListener } = port;
  const hide = (name, value) =>
    Object.defineProperty(port, name, { value, writable: true, enumerable: false, configurable: true });
  hide('addEventListener', function (type, listener, ...rest) {
    const given = type === 'message' && isListener(listener) ? covered(listener, failed) : listener;
    return addEventListener.call(this, type, given, ...rest);
  });
  hide('removeEventListener', function (type, listener, ...rest) {
    const given = (type === 'message' && isListener(listener) && covers.get(listener)) || listener;
    return removeEventListener.call(this, type, given, ...rest);
  });
}

module.exports = { coverListeners };
