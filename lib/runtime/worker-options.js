'use strict';

/**
 * Replaces `workerData` and `transferList` in the options of Node's Worker, at the moment when Node reads them: Node reads
 * other options before, and each read may run a getter of the program's, which may change the data.
 *
 * Relies on, in Node 20 to 26:
 * - Node's Worker reading each option from the object that it was given, when it needs the option;
 * - Node reading `transferList` twice, taking the elements (by index) from the second, and only then reading `workerData`.
 * Without: a runtime that reads `workerData` first passes an empty transfer list to `replace`, which refuses data with an
 * object that must be transferred. One that copies the options first gets the replaced data too early for such getters. Bun
 * and Deno copy: they get a copy of the options with the data replaced.
 * Test: __test__/runtime/worker-options.test.js.
 */

const { append } = require('./intrinsics');
const { isNode } = require('./which');

/** The elements of a list, read by index as Node's Worker reads them. */
function elementsOf(list) {
  const elements = [];
  for (let i = 0; i < list.length; i++) append(elements, list[i]);
  return elements;
}

/**
 * The options to be given to Node's Worker.
 *
 * @param {object} options the program's
 * @param {(workerData: unknown, transferList: unknown[]) => { message: unknown, list: unknown[] }} replace called once, when
 *   Node reads the elements of the list, or `workerData` if there is no list; returns the data and the list for Node
 */
function withReplacedData(options, replace) {
  if (!isNode) {
    const { message, list } = replace(options.workerData, elementsOf(options.transferList ?? []));
    return { ...options, workerData: message, transferList: list };
  }
  let replaced;

  // Node takes only one of the two lists that it reads, so a list is read when Node asks for its elements.
  const replacedList = (list) =>
    new Proxy([], {
      __proto__: null,
      get(elements, key) {
        if (replaced === undefined) {
          replaced = replace(options.workerData, elementsOf(list));
          for (const object of replaced.list) append(elements, object);
        }
        return elements[key];
      },
    });

  function get(_, name) {
    if (name === 'workerData') return (replaced ??= replace(options.workerData, [])).message;
    const option = options[name];
    return name === 'transferList' && option ? replacedList(option) : option;
  }

  // Not an object that inherits from the options: getters of the options must have the options as `this`, and run as often
  // and in the order as with Node.
  return new Proxy({ __proto__: null }, { __proto__: null, get });
}

module.exports = { withReplacedData };
