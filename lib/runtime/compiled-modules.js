'use strict';

/**
 * Modules of ours, read and compiled once for the whole process, for Workers to make modules of (bootstrap.js).
 *
 * Node finds, reads and compiles every module anew in every Worker, which takes ours nearly as long as Node takes to start
 * the thread. So the thread that starts Workers puts the sources into shared memory, once; and V8's code for them, where that
 * pays: to make it takes as long as six Workers take to compile what a task makes them run.
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

const NO_CODE = new Uint8Array(0);
const [OPEN, CLOSE] = Buffer.from('()');

/**
 * @typedef {{ root: string, ids: string[], ends: number[], memory: SharedArrayBuffer, native: string, addon: string,
 *   bundle: string }} Modules for a message: in `memory` stand the source and the code of each module, and in `ends` where each
 *   of them ends; without code the ends of both are the same
 */

/**
 * @param {object} options
 * @param {string} options.root the folder of all our files; the folders in it hold no folders
 * @param {string[]} options.entries modules in it, named from there without `.js`, with all that they require
 * @param {string} options.native the module that loads the addon: a Worker need not look for the addon
 * @param {string} options.addon the file that was loaded
 * @param {{ workerSources(): Map<string, Buffer> }} [options.bundle] has the sources, where our modules come from it
 * @returns {{ withSources: () => Modules, withCode: () => Modules } | null} null where the files cannot be read as they
 *   stand here
 */
function workerModules({ root, entries, native, addon, bundle }) {
  const fileOf = (id) => path.join(root, `${id}.js`);
  /** The function of a file's module, as text. */
  function readSource(id) {
    const file = fileOf(id);
    return fs.existsSync(file) ? functionText(inAscii(fs.readFileSync(file, 'utf8'))) : undefined;
  }
  /** Sources as bytes: to make strings of those of the bundle, and bytes again, would take 2 ms. */
  let sources;
  try {
    sources = bundle === undefined ? new Map() : bundle.workerSources();
    if (bundle === undefined) {
      withRequired(entries, readSource, native).forEach((text, id) => sources.set(id, Buffer.from(text, 'latin1')));
    }
  } catch {
    return null;
  }
  if (!entries.every((entry) => sources.has(entry))) return null;

  /** @param {(id: string, source: Buffer) => Uint8Array} codeOf */
  function gather(codeOf) {
    const codes = [...sources].map(([id, source]) => codeOf(id, source));
    let end = 0;
    // A source is a function: a script returns it where it stands in parentheses.
    const ends = [...sources.values()].flatMap(({ length }, i) => [(end += length + 2), (end += codes[i].length)]);
    const memory = new SharedArrayBuffer(end);
    const bytes = new Uint8Array(memory);
    [...sources.values()].forEach((source, i) => {
      const last = ends[2 * i] - 1;
      bytes[last - source.length - 1] = OPEN;
      bytes.set(source, last - source.length);
      bytes[last] = CLOSE;
      bytes.set(codes[i], last + 1);
    });
    return { root, ids: [...sources.keys()], ends, memory, native, addon, bundle: 'bundle/index' };
  }

  const compile = (id, source) => new Script(`(${source.latin1Slice()})`, { filename: fileOf(id) }).createCachedData();

  return {
    withSources: () => gather(() => NO_CODE),
    withCode: () => gather(compile),
  };
}

module.exports = { workerModules };
