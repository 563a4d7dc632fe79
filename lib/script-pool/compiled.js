'use strict';

/**
 * The modules of a worker, read and compiled once for the whole process.
 *
 * Node finds, reads and compiles every module anew in every worker, which would take ours nearly as long as Node takes to
 * start the thread. So the thread that owns a pool does it once, and puts the sources, and V8's code for them, into
 * shared memory; bootstrap.js makes modules of it.
 */

const fs = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const { append } = require('../codec/intrinsics');
const { file: addon } = require('../native');

/** What a worker loads at once, and what its first task with a value that is no plain number makes it load. */
const ENTRIES = ['transferable-types.js', 'script-pool/runner.js', 'script-pool/load-script.js', 'values.js'];
const LIB = path.join(__dirname, '..');

/** `require('./x')` at a module's top level. What is required inside a function is not part of a start. */
const REQUIRED = /^(?:(?:const .*|\}) = )?require\('(\.[^']*)'\)/gm;

/** The function that Node makes of a module, by which it gets its own names. */
const wrapped = (source) => `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;

/** Characters that take two bytes would make a string of twice the length of the whole file. */
const escaped = (source) =>
  source.replace(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Adds the source of a file, and of what it requires, by their names. */
function collect(file, sources) {
  if (sources.has(file)) return;
  const source = fs.readFileSync(file, 'utf8');
  sources.set(file, wrapped(escaped(source)));
  for (const [, name] of source.matchAll(REQUIRED)) {
    const target = path.resolve(path.dirname(file), name);
    collect(fs.existsSync(`${target}.js`) ? `${target}.js` : path.join(target, 'index.js'), sources);
  }
}

/** By what name another of our modules requires this one, as seen from lib. */
const idOf = (file) => path.relative(LIB, file).replaceAll(path.sep, '/').replace(/(?:\/index)?\.js$/, '');

function compile() {
  const sources = new Map();
  for (const entry of ENTRIES) collect(path.join(LIB, entry), sources);
  const parts = [];
  for (const [filename, source] of sources) {
    append(parts, Buffer.from(source, 'latin1'));
    append(parts, new Script(source, { filename }).createCachedData());
  }
  const ends = [];
  let end = 0;
  for (const part of parts) append(ends, (end += part.length));
  const memory = new SharedArrayBuffer(end);
  const bytes = new Uint8Array(memory);
  parts.forEach((part, i) => bytes.set(part, ends[i] - part.length));
  const files = [...sources.keys()];
  return { files, ids: files.map(idOf), ends, memory, native: path.join(LIB, 'native', 'index.js'), addon };
}

let compiled;

/**
 * @returns {{ files: string[], ids: string[], ends: number[], memory: SharedArrayBuffer, native: string, addon: string }
 *   | null} for a message: in `memory` stand the source and the code of each file, and in `ends` where each of them ends;
 *   `addon` is what the file `native` loads. null where the files cannot be read as they stand here: workers then load
 *   what they need by themselves
 */
function compiledModules() {
  if (compiled !== undefined) return compiled;
  try {
    compiled = compile();
  } catch {
    compiled = null;
  }
  return compiled;
}

module.exports = { compiledModules };
