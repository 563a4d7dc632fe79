'use strict';

/**
 * Modules of ours, read and compiled once for the whole process, for Workers to make modules of (bootstrap.js).
 *
 * Node finds, reads and compiles every module anew in every Worker, which takes ours nearly as long as Node takes to start
 * the thread. So the thread that starts Workers puts the sources into shared memory, once; and V8's code for them, where that
 * pays: to make it takes as long as three to seven Workers take to compile what their first task makes them run.
 *
 * Relies on: V8's code cache (documented, `vm.Script`), which a Worker's V8 takes only from the very same V8 and flags, and
 * otherwise ignores; and on a module of ours being made by the function that Node makes of a module.
 * Without: `null`, and Workers load the files by themselves.
 * Test: __test__/runtime/compiled-modules.test.js, __test__/script-pool/start-up.test.js.
 */

const fs = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const { functionText, inAscii, withRequired } = require('./module-source');

const [OPEN, CLOSE] = [Buffer.from('('), Buffer.from(')')];

/**
 * @typedef {{ root: string, ids: string[], ends: number[], memory: SharedArrayBuffer, native: string, addon: string,
 *   bundle: string }} Modules for a message: in `memory` stand the source and the code of each module, and in `ends` where each
 *   of them ends; without code the ends of both are the same
 */

/**
 * Puts bytes into shared memory, one after the other.
 *
 * @param {Uint8Array[][]} groups
 * @returns {{ ends: number[], memory: SharedArrayBuffer }} where each group ends
 */
function layOut(groups) {
  let end = 0;
  const ends = groups.map((parts) => (end = parts.reduce((sum, { length }) => sum + length, end)));
  const memory = new SharedArrayBuffer(end);
  const bytes = new Uint8Array(memory);
  let at = 0;
  for (const part of groups.flat()) {
    bytes.set(part, at);
    at += part.length;
  }
  return { ends, memory };
}

/**
 * @param {object} options
 * @param {string} options.root the folder of all our files; the folders in it hold no folders
 * @param {string[]} options.entries modules in it, named from there without `.js`, with all that they require
 * @param {string} options.native the module that loads the addon: a Worker need not look for the addon
 * @param {string} options.addon the file that was loaded
 * @param {{ workerSources(): Map<string, Buffer> }} [options.bundle] has the sources, where our modules come from it
 * @returns {Modules | null} without code; null where the files cannot be read as they stand here
 */
function readModules({ root, entries, native, addon, bundle }) {
  /** The function of a file's module, as text. */
  function readSource(id) {
    const file = `${root}${path.sep}${id}.js`;
    return fs.existsSync(file) ? functionText(inAscii(fs.readFileSync(file, 'utf8'))) : undefined;
  }
  let sources;
  try {
    // Those of the bundle are bytes: strings of them, and bytes again, would take 2 ms.
    sources = bundle === undefined ? withRequired(entries, readSource, native) : bundle.workerSources();
  } catch {
    return null;
  }
  if (!entries.every((entry) => sources.has(entry))) return null;
  // A script returns a function that stands in parentheses.
  const groups = [...sources.values()].flatMap((source) => [[OPEN, typeof source === 'string' ? Buffer.from(source, 'latin1') : source, CLOSE], []]);
  return { root, ids: [...sources.keys()], ...layOut(groups), native, addon, bundle: 'bundle/index' };
}

/**
 * @param {Modules} modules without code
 * @returns {Modules} with code
 */
function compileModules(modules) {
  const { root, ids, ends, memory } = modules;
  const groups = ids.flatMap((id, i) => {
    const start = i === 0 ? 0 : ends[2 * i - 1];
    const source = Buffer.from(memory, start, ends[2 * i] - start);
    const script = new Script(source.latin1Slice(), { filename: `${root}${path.sep}${id}.js` });
    return [[source], [script.createCachedData()]];
  });
  return { ...modules, ...layOut(groups) };
}

module.exports = { compileModules, readModules };
