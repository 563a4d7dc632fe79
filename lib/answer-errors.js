'use strict';

/** Errors of the native side among the answers: reading them, and rejecting with them. None is thrown: that costs more. */

const { FORMS } = require('./constants');

/** Whether an answer of this form is an error of the native side. */
const isError = (form) => form === FORMS.ERROR || form === FORMS.ERROR_AGAIN;

/**
 * Reads an error.
 *
 * @param {number} form one for which `isError` holds
 * @param {number} number what stands beside it
 * @param {{ takeOutOfBand(): unknown, outOfBandAt(index: number): unknown }} source such as the delivery
 * @returns {[code: string, message: string]}
 */
function takeError(form, number, source) {
  return form === FORMS.ERROR
    ? [source.takeOutOfBand(), source.takeOutOfBand()]
    : [source.outOfBandAt(number >> 1), source.outOfBandAt((number >> 1) + 1)];
}

/** Of the error of a task whose deadline has passed, by what stands beside it: whether the task had started. */
const hadStarted = (number) => (number & FORMS.STARTED) !== 0;

/**
 * Rejects a promise of which only the resolve function was kept. Not by a rejected promise: Node would take note of that one,
 * since nobody handles it yet.
 */
const rejectBy = (resolve, error) => resolve(new Rejection(error));

/** What a promise takes for a rejected promise. */
class Rejection {
  #error;

  constructor(error) {
    this.#error = error;
  }

  then(_, reject) {
    reject(this.#error);
  }
}

/** Where the outcome of a task is no promise's: calls `resolve`, or `reject` where the outcome comes from `rejectBy`. */
function settleBy(outcome, resolve, reject) {
  if (outcome instanceof Rejection) outcome.then(resolve, reject);
  else resolve(outcome);
}

module.exports = { Rejection, hadStarted, isError, rejectBy, settleBy, takeError };
