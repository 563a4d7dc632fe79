'use strict';

/**
 * The modules of a worker, read and compiled once for the whole process.
 *
 * Node finds, reads and compiles every module anew in every worker, which would take ours nearly as long as Node takes to
 * start the thread. So the thread that owns the pool does it once, and each worker is given the sources and V8's code for
 * them in one message; bootstrap.js makes modules of it. Which files: those that the runner requires, and what these
 * require, as far as it stands at the beginning of a line. What is required inside a function is not part of a start.
 */

const fs = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const FIRST = path.join(__dirname, 'runner.js');
/** `require('./x')` at a module's top level, also at the end of names over several lines. */
const REQUIRED = /^(?:(?:const .*|\}) = )?require\('(\.[^']*)'\);$/gm;

/** The function that Node makes of a module, by which it gets its own names. */
const wrapped = (source) => `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;

/** The source of each file by its name, in the order in which they are required. */
function sourcesFrom(file, sources = new Map()) {
  if (sources.has(file)) return sources;
  const source = fs.readFileSync(file, 'utf8').replace(/^ *(?:\/\/|\/?\*).*$/gm, '');
  sources.set(file, source);
  for (const [, name] of source.matchAll(REQUIRED)) {
    const target = path.resolve(path.dirname(file), name);
    sourcesFrom(fs.existsSync(`${target}.js`) ? `${target}.js` : path.join(target, 'index.js'), sources);
  }
  return sources;
}

function compile() {
  const sources = sourcesFrom(FIRST);
  const files = [...sources.keys()];
  const functions = Array.from(sources.values(), wrapped);
  const codes = files.map((filename, i) => new Script(functions[i], { filename }).createCachedData());
  // Where the code of each file ends. Shared: it is copied to no worker.
  const ends = [];
  let end = 0;
  for (const code of codes) ends.push((end += code.length));
  const code = new SharedArrayBuffer(end);
  const bytes = new Uint8Array(code);
  codes.forEach((part, i) => bytes.set(part, ends[i] - part.length));
  return { files, functions, code, ends };
}

let compiled;

/**
 * @returns {{ files: string[], functions: string[], code: SharedArrayBuffer, ends: number[] }} for a message
 */
function compiledModules() {
  return (compiled ??= compile());
}

module.exports = { compiledModules };
