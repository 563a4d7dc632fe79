'use strict';

/**
 * Writes lib/bundle: all modules that programs load, in few files, because Node takes a quarter of a millisecond to
 * find, read and compile each file. `npm pack` does it, and whatever makes a clone ready to run.
 *
 * Each module stays a function, run when it is first required (../runtime/module-loader.js). Comments are left out; all else
 * stands where it stood, so that the lines of a stack are right in a pool's workers, which get the modules one by one.
 */

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { functionText, inAscii, withRequired } = require('../runtime/module-source');
const { WORKER_LEAF, WORKER_MODULES } = require('../script-pool/worker-modules');
const { ROOT, isClone } = require('./paths');

const LIB = path.join(ROOT, 'lib');
const BUNDLE = path.join(LIB, 'bundle');
const LOADER = 'runtime/module-loader';

/**
 * The bundle's files, and for which modules, with all that these require and no file before has, each is read: as soon as one
 * of its modules is required, V8 parses the whole file.
 */
const INDEX = 'index';
const FILES = {
  [INDEX]: [LOADER, 'main', 'native/index', 'worker/parent-port', 'script-pool/task', 'transferable-types'],
  common: ['delivery', 'cancellable', 'codec/bytes', 'codec/errors', 'forgotten', 'inspection', 'region-view', 'validators'],
  locks: ['locks/index'],
  fallback: ['fallback/fallback-port', 'fallback/value'],
  codec: ['task/values'],
  ports: ['ports/index'],
  pool: ['pool/worker-pool', 'pool/script-side', 'pool/map-input-by-input', 'pool/closing', 'script-pool/compiled'],
  worker: WORKER_MODULES,
};
const REST = 'rest';

/** Files of which not every module runs, nor most of them. */
const LAZY = new Set(['worker', REST]);

/**
 * Not required by any other of these modules: commands, first files of Workers, what runs in a browser, what works with an optional
 * package, and what that and index.js require when they were bundled.
 */
const APART = new Set([
  'bundle/', 'bullmq/', 'install/', 'native/bundled', 'runtime/bootstrap', 'seeing/page/', 'shared-buffer/notifier-thread',
]);

/** The modules' names: their files, seen from lib, without `.js`. */
function moduleNames(folder = '') {
  return fs
    .readdirSync(path.join(LIB, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const name = folder + entry.name;
      if (entry.isDirectory()) return APART.has(`${name}/`) ? [] : moduleNames(`${name}/`);
      return name.endsWith('.js') && !APART.has(name.slice(0, -3)) ? [name.slice(0, -3)] : [];
    })
    .sort();
}

/** What stands in the place of a comment: nothing in the place of lines, blanks where code may follow in its line. */
const blank = ({ type, start, end, value }) =>
  type === 'Block' && !value.includes('\n') ? ' '.repeat(end - start) : value.replace(/[^\n]+/g, '');

/** A source without its comments, in ASCII. */
function withoutComments(source, parse) {
  const comments = [];
  parse(source, { ecmaVersion: 'latest', sourceType: 'commonjs', onComment: comments });
  let text = '';
  let end = 0;
  for (const comment of comments) {
    text += source.slice(end, comment.start) + blank(comment);
    end = comment.end;
  }
  return inAscii(text + source.slice(end));
}

/** By what a module's file is known to be the one that was read. */
function stampOf(name) {
  const { mtimeMs, size } = fs.statSync(path.join(LIB, `${name}.js`));
  // Deno knows no parts of a millisecond.
  return [name, Math.trunc(mtimeMs), size];
}

/** Which modules stand in which file. */
function divide(sources) {
  const left = new Map(sources);
  const files = new Map();
  for (const [file, entries] of Object.entries(FILES)) {
    const names = [...withRequired(entries, (name) => left.get(name)).keys()];
    for (const name of names) left.delete(name);
    files.set(file, names);
  }
  files.set(REST, [...left.keys()]);
  return files;
}

/** @param {string} id of the bundle: by it the index knows the files that were written with it */
const head = (id) => `'use strict';\n\n// Made by lib/install/bundle.js from the files of lib: change those.\n// ${id}\n\n`;

/**
 * The first part of a file, to the end of its functions. V8 compiles a function in parentheses at once, and otherwise parses it
 * twice: to find its end, and when it is called.
 *
 * @param {string} before what stands before the functions
 * @param {Map<string, [string, number, number]>} places by the functions' names: the file, the first character and the end
 */
function withFunctions(before, file, names, sources, places) {
  const [open, close] = LAZY.has(file) ? ['', ''] : ['(', ')'];
  let text = `${before}{ __proto__: null,\n`;
  for (const name of names) {
    text += `'${name}': ${open}`;
    const start = text.length;
    text += functionText(sources.get(name));
    places.set(name, [file, start, text.length]);
    text += `${close},\n`;
  }
  return `${text}}`;
}

/** Modules of Node's that many of ours require, and that every program has: it takes no time to require them at once. */
const BUILT_IN = ['async_hooks', 'diagnostics_channel', 'events', 'fs', 'path', 'timers', 'url', 'util', 'vm', 'worker_threads'].map((name) => `node:${name}`);

function indexText(id, files, sources, places, stamps) {
  const elsewhere = [...files].filter(([file]) => file !== INDEX);
  const fileNames = elsewhere.flatMap(([file, names]) => names.map((name) => [name, file]));
  const functions = withFunctions(`${head(id)}const functions = `, INDEX, files.get(INDEX), sources, places);
  const ofWorker = [...withRequired(WORKER_MODULES, (name) => sources.get(name), WORKER_LEAF).keys()];
  return `${functions};

/** In which file the other functions are. */
const elsewhere = { __proto__: null, ...${JSON.stringify(Object.fromEntries(fileNames))} };

/** Node's modules as they are now: a test may have replaced them when a module of ours runs. */
const builtIn = { __proto__: null, ${BUILT_IN.map((name) => `'${name}': require('${name}')`).join(', ')} };
const requireOther = Object.assign((name) => builtIn[name] ?? require(name), { resolve: require.resolve });

const fs = builtIn['node:fs'];
const root = builtIn['node:path'].dirname(__dirname);
const { toString } = Function.prototype;

const loaderModule = { exports: {} };
functions['${LOADER}'](loaderModule.exports, requireOther, loaderModule);
const { moduleLoader, ownFiles } = loaderModule.exports;

/** A hook may have changed the sources: to count what runs, say. */
const isAsWritten = toString.call(functions['${LOADER}']).length === ${functionText(sources.get(LOADER)).length};

const files = isAsWritten ? ownFiles(module, '${id}') : undefined;

/** Where this is not as written, or not a module of Node's own. */
const required = { __proto__: null, ${elsewhere.map(([file]) => `${file}: () => require('./${file}')`).join(', ')} };

function functionOf(id) {
  const file = elsewhere[id];
  if (functions[id] === undefined && file !== undefined) Object.assign(functions, files?.load(file) ?? required[file]());
  return functions[id];
}

/** The sources of a pool's worker, as they were written: no function is compiled to be asked for its text. */
function workerSources() {
  const texts = { __proto__: null };
  return new Map(${JSON.stringify(ofWorker.map((name) => [name, ...places.get(name)]))}.map(
    ([name, file, start, end]) => [name, (texts[file] ??= files.read(file)).subarray(start, end)],
  ));
}

let loader;

exports.load = (id) => {
  loader ??= moduleLoader({
    root,
    ids: [...Object.keys(functions), ...Object.keys(elsewhere)],
    functionOf,
    parent: module,
    require: requireOther,
    bundle: files && { workerSources },
  });
  return loader.load(id);
};

/** In a clone: whether the files are those that were read, and those of the bundle those that were written. */
exports.isFresh = () => {
  if (!fs.existsSync(root + '/../.git')) return true;
  return ${JSON.stringify(stamps)}.every(([name, mtimeMs, size]) => {
    const stat = fs.statSync(root + '/' + name + '.js', { throwIfNoEntry: false });
    return stat !== undefined && Math.trunc(stat.mtimeMs) === mtimeMs && stat.size === size;
  });
};
`;
}

const fileOf = (name) => path.join(LIB, `${name}.js`);

/** Whether the bundle is there, and of the files as they are. */
function isBundleFresh() {
  try {
    return require(BUNDLE).isFresh();
  } catch {
    return false;
  }
}

/**
 * Writes a file of the bundle, whole or not at all. Of several processes that make the same bundle each gives the file the same
 * time, so that the index of one fits the files of another.
 */
function write(name, text, time) {
  const draft = path.join(BUNDLE, `.${name}-${process.pid}`);
  fs.writeFileSync(draft, text);
  fs.utimesSync(draft, time, time);
  fs.renameSync(draft, path.join(BUNDLE, `${name}.js`));
}

/** acorn, for `pool.exec`: the package that is published depends on none. Its licence stands beside it. */
function writeParser(parse) {
  const folder = path.join(BUNDLE, 'acorn');
  const source = require.resolve('acorn');
  const text = withoutComments(fs.readFileSync(source, 'utf8'), parse);
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, content] of [
    ['acorn.js', text.replace(/\n\s*\n/g, '\n')],
    ['LICENSE', fs.readFileSync(path.join(path.dirname(source), '..', 'LICENSE'))],
  ]) {
    const draft = path.join(folder, `.${name}-${process.pid}`);
    fs.writeFileSync(draft, content);
    fs.renameSync(draft, path.join(folder, name));
  }
}

/** Writes the bundle: at last the file by which it is found. */
function writeBundle() {
  // A development package: the published package has its bundle.
  const { parse } = require('acorn');
  const names = moduleNames();
  // First: a file that is changed while it is read is then another than that of the stamp.
  const stamps = [...names, 'install/bundle'].map(stampOf);
  const sources = new Map(names.map((name) => [name, withoutComments(fs.readFileSync(fileOf(name), 'utf8'), parse)]));
  const id = createHash('sha256').update(JSON.stringify([stamps, ...sources])).digest('hex');
  writeParser(parse);
  const files = divide(sources);
  const time = new Date(Math.max(...stamps.map(([, mtimeMs]) => mtimeMs)));
  const places = new Map();
  fs.mkdirSync(BUNDLE, { recursive: true });
  for (const [file, members] of files) {
    if (file === INDEX) continue;
    write(file, `${withFunctions(`${head(id)}module.exports = `, file, members, sources, places)};\n`, time);
    stamps.push(stampOf(`bundle/${file}`));
  }
  write(INDEX, indexText(id, files, sources, places, stamps), time);
  // Files of an earlier bundle.
  for (const name of fs.readdirSync(BUNDLE)) {
    if (name.endsWith('.js') && !files.has(name.slice(0, -3))) fs.rmSync(path.join(BUNDLE, name), { force: true });
  }
}

/** Errors of `writeBundle` without which the files do: no development packages, no right to write. */
const NO_BUNDLE = new Set(['MODULE_NOT_FOUND', 'EACCES', 'EPERM', 'EROFS']);

/** In a clone: makes the bundle what the files are, if it can. */
function ensureBundle() {
  if (!isClone() || isBundleFresh()) return;
  try {
    writeBundle();
  } catch (error) {
    if (!NO_BUNDLE.has(error.code)) throw error;
  }
}

if (require.main === module) writeBundle();

module.exports = { ensureBundle };
