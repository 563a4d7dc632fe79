'use strict';

/**
 * In which form a worker calls a function of the script: a number that goes with the task. 0, the form of nearly all tasks, is a
 * call with the input as the one argument; for it no worker loads anything.
 */

/** The input is an array of arguments. */
const SPREAD = 1;
/** Above the flag: how many parts of the result may be given before more are granted; 0: the result comes as one. */
const AHEAD = 2;
const MOST_AHEAD = 2 ** 16 - 1;

/** @param {{ spread: boolean, ahead: number }} how */
const callForm = ({ spread, ahead }) => (spread ? SPREAD : 0) + AHEAD * ahead;

/** The inverse of `callForm`. */
const readCallForm = (form) => ({ spread: form % AHEAD === SPREAD, ahead: Math.floor(form / AHEAD) });

module.exports = { MOST_AHEAD, SPREAD, callForm, readCallForm };
