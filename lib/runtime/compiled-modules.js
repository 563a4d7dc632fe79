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

/** `require('./x')` at a module's top level. What is required inside a function is not part of a start. */
const REQUIRED = /^(?:(?:const .*|\}) = )?require\('(\.[^']*)'\)/gm;

/** The function that Node makes of a module, by which it gets its own names. */
const wrapped = (source) => `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;

/** Characters that take two bytes would make a string of twice the length of the whole file. */
const escaped = (source) =>
  source.replace(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Adds the source of a file, and of what it requires (but for `loader`, which no Worker runs), by their names. */
function collect(file, sources, loader) {
  if (sources.has(file)) return;
  const source = fs.readFileSync(file, 'utf8');
  sources.set(file, wrapped(escaped(source)));
  if (file === loader) return;
  for (const [, name] of source.matchAll(REQUIRED)) {
    const target = path.resolve(path.dirname(file), name);
    collect(fs.existsSync(`${target}.js`) ? `${target}.js` : path.join(target, 'index.js'), sources, loader);
  }
}

/**
 * @param {string} root the folder of all our files; the folders in it hold no folders
 * @param {string[]} entries files in it, with all that they require
 * @param {string} native the file in it that loads the addon: a Worker need not look for that
 * @param {string} addon the file that was loaded
 * @returns {{ files: string[], ids: string[], ends: number[], memory: SharedArrayBuffer, native: string, addon: string }
 *   | null} for a message: in `memory` stand the source and the code of each file, and in `ends` where each of them ends;
 *   null where the files cannot be read as they stand here
 */
function compileModules(root, entries, native, addon) {
  const sources = new Map();
  const parts = [];
  const loader = path.join(root, native);
  try {
    for (const entry of entries) collect(path.join(root, entry), sources, loader);
    for (const [filename, source] of sources) {
      append(parts, Buffer.from(source, 'latin1'));
      append(parts, new Script(source, { filename }).createCachedData());
    }
  } catch {
    return null;
  }
  /** By what name another of our modules requires this one, as seen from the root. */
  const idOf = (file) => path.relative(root, file).replaceAll(path.sep, '/').replace(/(?:\/index)?\.js$/, '');
  let end = 0;
  const ends = parts.map(({ length }) => (end += length));
  const memory = new SharedArrayBuffer(end);
  const bytes = new Uint8Array(memory);
  parts.forEach((part, i) => bytes.set(part, ends[i] - part.length));
  const files = [...sources.keys()];
  return { files, ids: files.map(idOf), ends, memory, native: loader, addon };
}

module.exports = { compileModules };
