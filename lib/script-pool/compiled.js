'use strict';

/** The modules of a script pool's worker, read once for the whole process, and compiled once where it has many workers. */

const path = require('node:path');

const { file: addon } = require('../native');
const { compileModules, readModules } = require('../runtime/compiled-modules');
const { WORKER_LEAF, WORKER_MODULES } = require('./worker-modules');

// Not `path.join`, which fails where a program has put accessors on Array.prototype before this is loaded.
const LIB = path.dirname(__dirname);

/**
 * So many workers of a process compile for themselves what they run: to compile all of it for them takes this thread longer,
 * and the first would wait for it.
 */
const BEFORE_CODE = 4;

/** What the next worker gets, and how many have been given it. */
let modules;
let given = 0;

/**
 * @returns {import('../runtime/compiled-modules').Modules | null} for a message to one more worker; null: it loads what it
 *   needs by itself
 */
function nextModules() {
  if (modules === undefined) {
    modules = readModules({ root: LIB, entries: WORKER_MODULES, native: WORKER_LEAF, addon, bundle: require.bundle });
  }
  if (given++ === BEFORE_CODE && modules !== null) {
    try {
      modules = compileModules(modules);
    } catch {
      // The sources will do.
    }
  }
  return modules;
}

module.exports = { BEFORE_CODE, nextModules };
