'use strict';

/** Inputs that are taken now and run later: while nobody knows whose task it is, or the queue is full. */

const { memoryOf } = require('../shared-buffer/shared-buffer');
const { Outgoing } = require('./outgoing');
const { AUTO, takeAside, takeBack, transferablesOf } = require('./transfer');

const outgoing = new Outgoing(true);

const NOTHING = Object.freeze([]);

/**
 * An input as it is now, for a script or for a native task.
 *
 * @param {unknown} input
 * @param {object[] | 'auto'} [transfer] what of it is given away, now
 * @returns {{ isBundle: boolean, value: unknown, list: object[] }} for `takeKept`, or `discard` of transfer.js
 * @throws what Node throws for what cannot be cloned or transferred
 */
function keep(input, transfer = NOTHING) {
  const list = transfer === AUTO ? transferablesOf(input) : transfer;
  if (list.length > 0) return takeAside(input, list);
  // Shared memory is the same whenever it is read.
  const copy = memoryOf(input) === undefined ? outgoing.copy(input) : { value: input };
  return copy === undefined ? takeAside(outgoing.takeLeft(), list) : { isBundle: false, value: copy.value, list };
}

/** What was kept, and what of it is to be given away. */
function takeKept(aside) {
  const value = takeBack(aside);
  // Objects of ours that were given away are here again.
  return { value, transfer: aside.isBundle ? transferablesOf(value) : aside.list };
}

module.exports = { keep, takeKept };
