'use strict';

/**
 * In which form a worker calls a function of the script: a number that goes with the task. 0, the form of nearly all tasks, is a
 * call with the input as the one argument; for it no worker loads anything.
 */

/** The input is an array of arguments. */
const SPREAD = 1;
/** The function gives its result in parts: a generator, or anything that can be iterated. */
const PARTS = 2;
/** Above the flags: how many parts may be given before more are granted. */
const AHEAD = 4;
const MOST_AHEAD = 2 ** 16 - 1;

/** @param {{ spread?: boolean, ahead?: number }} how `ahead`: 0 where the result does not come in parts */
const callForm = ({ spread = false, ahead = 0 }) => (spread ? SPREAD : 0) + (ahead > 0 ? PARTS + AHEAD * ahead : 0);

/** The inverse of `callForm`. */
const readCallForm = (form) => ({ spread: (form & SPREAD) !== 0, ahead: Math.floor(form / AHEAD) });

module.exports = { MOST_AHEAD, SPREAD, callForm, readCallForm };
