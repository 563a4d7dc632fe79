'use strict';

/**
 * In which form a worker calls a function: a number that goes with the task. 0, the form of nearly all tasks, is a call of a function of
 * the script with the input as the one argument; for it no worker loads anything.
 */

/** The input is an array of arguments. */
const SPREAD = 1;
/** Of what the task reports, only the latest is wanted. */
const LATEST = 2;
/** The input is many inputs, for each of which the function is called; or which are reduced by it (many-inputs.js). */
const EACH = 4;
const REDUCE = 8;
/** What the task prints goes to its caller (task-output.js). */
const OUTPUT = 16;
/** Above the flags: how many parts of the result may be given before more are granted; 0: the result comes as one. */
const AHEAD = 32;
const MOST_AHEAD = 2 ** 16 - 1;
/** Above that: under which number the pool keeps the function's source (exec-source.js); 0: it is one of the script's. */
const SOURCE = AHEAD * (MOST_AHEAD + 1);
/** So that the form, and the path above it, stay below 2^53. */
const LAST_SOURCE = 2 ** 28 - 1;

/** @param {{ spread?: boolean, ahead?: number, source?: number }} how */
const callForm = ({ spread = false, ahead = 0, source = 0 }) => (spread ? SPREAD : 0) + AHEAD * ahead + SOURCE * source;

/** The inverse of `callForm`. */
const readCallForm = (form) => ({
  spread: (form & SPREAD) !== 0,
  latest: (form & LATEST) !== 0,
  each: (form & EACH) !== 0,
  reduce: (form & REDUCE) !== 0,
  output: (form & OUTPUT) !== 0,
  ahead: Math.floor(form / AHEAD) % (MOST_AHEAD + 1),
  source: Math.floor(form / SOURCE),
});

module.exports = {
  AHEAD, EACH, LAST_SOURCE, LATEST, MOST_AHEAD, OUTPUT, REDUCE, SOURCE, SPREAD, callForm, readCallForm,
};
