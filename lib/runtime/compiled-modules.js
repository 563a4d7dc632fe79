'use strict';

/**
 * Modules of ours, read and compiled once for the whole process, for Workers to make modules of (bootstrap.js).
 *
 * Node finds, reads and compiles every module anew in every Worker, which takes ours nearly as long as Node takes to start
 * the thread. So the thread that starts Workers does it once, and puts the sources, and V8's code for them, into shared
 * memory.
 *
 * Relies on: V8's code cache (documented, `vm.Script`), which a Worker's V8 takes only from the very same V8 and flags, and
 * otherwise ignores; and on a module of ours being made by the function that Node makes of a module.
 * Without: `null`, and Workers load the files by themselves.
 * Test: __test__/runtime/compiled-modules.test.js, __test__/script-pool/start-up.test.js.
 */

const fs = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const { append } = require('./intrinsics');
const { functionText, inAscii, withRequired } = require('./module-source');

/**
 * @param {object} options
 * @param {string} options.root the folder of all our files; the folders in it hold no folders
 * @param {string[]} options.entries modules in it, named from there without `.js`, with all that they require
 * @param {string} options.native the module that loads the addon: a Worker need not look for the addon
 * @param {string} options.addon the file that was loaded
 * @param {{ workerSources(): Map<string, string> }} [options.bundle] has the sources, where our modules come from it
 * @returns {{ root: string, ids: string[], ends: number[], memory: SharedArrayBuffer, native: string, addon: string,
 *   bundle: string } | null} for a message: in `memory` stand the source and the code of each module, and in `ends` where each
 *   of them ends; null where the files cannot be read as they stand here
 */
function compileModules({ root, entries, native, addon, bundle }) {
  const fileOf = (id) => path.join(root, `${id}.js`);
  /** The function of a file's module, as text. */
  function readSource(id) {
    const file = fileOf(id);
    return fs.existsSync(file) ? functionText(inAscii(fs.readFileSync(file, 'utf8'))) : undefined;
  }
  const parts = [];
  let sources;
  try {
    sources = bundle === undefined ? withRequired(entries, readSource, native) : bundle.workerSources();
    if (!entries.every((entry) => sources.has(entry))) return null;
    for (const [id, source] of sources) {
      const text = `(${source})`;
      append(parts, Buffer.from(text, 'latin1'));
      append(parts, new Script(text, { filename: fileOf(id) }).createCachedData());
    }
  } catch {
    return null;
  }
  let end = 0;
  const ends = parts.map(({ length }) => (end += length));
  const memory = new SharedArrayBuffer(end);
  const bytes = new Uint8Array(memory);
  parts.forEach((part, i) => bytes.set(part, ends[i] - part.length));
  return { root, ids: [...sources.keys()], ends, memory, native, addon, bundle: 'bundle/index' };
}

module.exports = { compileModules };
