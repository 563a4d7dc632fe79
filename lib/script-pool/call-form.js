'use strict';

/**
 * In which form a worker calls a function of the script: a number that goes with the task. 0, the form of nearly all tasks, is a
 * call with the input as the one argument; for it no worker loads anything.
 */

/** The input is an array of arguments. */
const SPREAD = 1;
/** What the task prints goes to its caller (task-output.js). */
const OUTPUT = 2;
/** Above the flags: how many parts of the result may be given before more are granted; 0: the result comes as one. */
const AHEAD = 4;
const MOST_AHEAD = 2 ** 16 - 1;

/** @param {{ spread: boolean, ahead: number }} how */
const callForm = ({ spread, ahead }) => (spread ? SPREAD : 0) + AHEAD * ahead;

/** The inverse of `callForm`. */
const readCallForm = (form) => ({
  spread: (form & SPREAD) !== 0,
  output: (form & OUTPUT) !== 0,
  ahead: Math.floor(form / AHEAD),
});

module.exports = { AHEAD, MOST_AHEAD, OUTPUT, SPREAD, callForm, readCallForm };
