'use strict';

/**
 * The names (symbols) by which Node's ports, event targets and Workers reach each other.
 *
 * Relies on, in Node 20 to 26:
 * - `Symbol.for('nodejs.internal.kHybridDispatch')` (since 14): by `port[DISPATCH](data, type, event)` Node hands every
 *   message to the listeners of a port, whatever their kind. A registered symbol, because Node's own parts that stand in each
 *   context need it;
 * - `Symbol.for('nodejs.internal.kCurrentlyReceivingPorts')` (since 16): where Node puts the ports that came with a message;
 * - a symbol described as `kPublicPort` on each Worker (since 11): the parent's end of the port to its thread.
 * Without: there is no other way to these things, so what needs one throws an error that names it; the rest of the package
 * works. Without `kCurrentlyReceivingPorts` an event has Node's own ports.
 * Test: __test__/runtime/node-ports.test.js.
 */

const DISPATCH = Symbol.for('nodejs.internal.kHybridDispatch');
const RECEIVED_PORTS = Symbol.for('nodejs.internal.kCurrentlyReceivingPorts');

/**
 * A symbol of Node's that only its objects have.
 *
 * @param {object} object
 * @param {string} description of the symbol
 * @returns {symbol}
 * @throws {InternalError} there is none
 */
function symbolOf(object, description) {
  const found = Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
  if (found !== undefined) return found;
  const { InternalError } = require('../errors');
  throw new InternalError(`Node.js ${process.version} has no ${description}, which ports need; please report this`);
}

/** The same for all Workers of this thread. */
let PUBLIC_PORT;

/** The parent's end of the port to a Worker's thread. */
function publicPortOf(worker) {
  PUBLIC_PORT ??= symbolOf(worker, 'kPublicPort');
  return worker[PUBLIC_PORT];
}

module.exports = { DISPATCH, RECEIVED_PORTS, publicPortOf, symbolOf };
