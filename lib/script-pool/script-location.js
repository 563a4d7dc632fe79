'use strict';

/**
 * Which file a pool's script is: relative to the working directory, as for Node's Worker, or to the caller; and of which
 * kind.
 */

const fs = require('node:fs');
const path = require('node:path');
const { URL, fileURLToPath, pathToFileURL } = require('node:url');

const { InvalidArgTypeError, InvalidArgValueError } = require('../errors');

// Not `path.join`, which fails where a program has put accessors on Array.prototype before this is loaded.
const OWN_FOLDER = path.dirname(__dirname) + path.sep;

/**
 * @param {string | URL} script
 * @param {string} [name] of the argument, for errors
 * @returns {string} its URL
 */
function locateScript(script, name = 'script') {
  if (script instanceof URL || (typeof script === 'object' && typeof script?.href === 'string')) {
    return checkUrl(new URL(script.href), name).href;
  }
  if (typeof script !== 'string') {
    throw new InvalidArgTypeError(`The "${name}" argument must be a path, or a file: URL`);
  }
  if (script === '' || script.includes('\0')) {
    throw new InvalidArgValueError(`The "${name}" argument must be a path, or a file: URL`);
  }
  if (/^(file:|data:|[a-z][a-z\d+.-]+:\/\/)/i.test(script)) return checkUrl(new URL(script), name).href;
  return pathToFileURL(findFile(script)).href;
}

function checkUrl(url, name) {
  if (url.protocol === 'data:') return url;
  if (url.protocol !== 'file:') {
    throw new InvalidArgValueError(`The "${name}" argument must be a path, or a file: URL; not ${url.protocol}`);
  }
  fileURLToPath(url);
  return url;
}

/** The first of the two places where the file is; where it is in neither, the working directory's, for the error. */
function findFile(script) {
  const file = path.resolve(script);
  if (path.isAbsolute(script) || fs.existsSync(file)) return file;
  const caller = callerFile();
  if (caller === undefined) return file;
  const byCaller = path.resolve(path.dirname(caller), script);
  return fs.existsSync(byCaller) ? byCaller : file;
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
 * How Node finds the script of a Worker.
 *
 * @param {string} script its URL
 * @returns {{ script: string, file?: string, url: string }} `file`: undefined for a data: URL; `url`: of the module as
 *   Node names it, where links have been followed
 */
function placeOf(script) {
  if (!script.startsWith('file:')) return { script, url: script };
  const file = fileURLToPath(script);
  return { script, file, url: pathToFileURL(realPath(file)).href };
}

function realPath(file) {
  if (process.execArgv.includes('--preserve-symlinks-main')) return file;
  try {
    return fs.realpathSync(file);
  } catch {
    // It is not there: loading it says so.
    return file;
  }
}

module.exports = { locateScript, placeOf };
