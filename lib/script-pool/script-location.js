'use strict';

/**
 * Which file a pool's script is: relative to the working directory, as for Node's Worker, or to the caller; and of which
 * kind.
 */

const fs = require('node:fs');
const path = require('node:path');
const { URL, fileURLToPath, pathToFileURL } = require('node:url');

const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');

const OWN_FOLDER = path.join(__dirname, '..') + path.sep;

/**
 * @param {string | URL} script
 * @returns {string} its URL
 */
function locateScript(script) {
  if (script instanceof URL || (typeof script === 'object' && typeof script?.href === 'string')) {
    return checkUrl(new URL(script.href)).href;
  }
  if (typeof script !== 'string') {
    throw new InvalidArgTypeError('The "script" argument must be a path, or a file: URL');
  }
  if (script === '' || script.includes('\0')) {
    throw new InvalidArgValueError('The "script" argument must be a path, or a file: URL');
  }
  if (/^(file|data):/i.test(script)) return checkUrl(new URL(script)).href;
  return pathToFileURL(findFile(script)).href;
}

function checkUrl(url) {
  if (url.protocol === 'data:') return url;
  if (url.protocol !== 'file:') {
    throw new InvalidArgValueError(`The "script" argument must be a path, or a file: URL; not ${url.protocol}`);
  }
  fileURLToPath(url);
  return url;
}

/** The first place where it is; the working directory's when it is nowhere, for the error that names it. */
function findFile(script) {
  const file = path.resolve(script);
  if (path.isAbsolute(script) || fs.existsSync(file)) return file;
  const caller = callerFile();
  if (caller === undefined) return file;
  const beside = path.resolve(path.dirname(caller), script);
  return fs.existsSync(beside) ? beside : file;
}

/** The file of the first function on the stack that is not this package's. */
function callerFile() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    // Where intrinsics are frozen neither can be set, and the stack is a text.
    Reflect.set(Error, 'stackTraceLimit', 64);
    Reflect.set(Error, 'prepareStackTrace', (_, frames) => frames.map((frame) => frame.getFileName()));
    const holder = {};
    Error.captureStackTrace(holder, callerFile);
    if (!Array.isArray(holder.stack)) return undefined;
    for (const name of holder.stack) {
      if (typeof name !== 'string' || name.startsWith('node:')) continue;
      const file = name.startsWith('file:') ? fileURLToPath(name) : name;
      if (path.isAbsolute(file) && !file.startsWith(OWN_FOLDER)) return file;
    }
    return undefined;
  } finally {
    Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/**
 * What a worker need not find out by itself.
 *
 * @param {string} script its URL
 * @returns {{ script: string, file?: string, commonJs: boolean }} `file`: undefined for a data: URL; `commonJs`: whether
 *   `require` serves, which is quicker than `import` and makes the script `require.main`
 */
function placeOf(script) {
  if (!script.startsWith('file:')) return { script, commonJs: false };
  const file = fileURLToPath(script);
  return { script, file, commonJs: isCommonJs(file) };
}

function isCommonJs(file) {
  const extension = path.extname(file);
  if (extension === '.cjs' || extension === '.cts') return true;
  return extension === '.js' && packageType(path.dirname(file)) !== 'module';
}

/** The `type` of the package a folder belongs to. */
function packageType(folder) {
  for (;;) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type;
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined;
    }
    const parent = path.dirname(folder);
    if (parent === folder || path.basename(folder) === 'node_modules') return undefined;
    folder = parent;
  }
}

module.exports = { locateScript, placeOf };
