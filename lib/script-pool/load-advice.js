'use strict';

/** What to do about a script that Node refused to load, where Node's own message does not say it. */

const { statSync } = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

const TYPESCRIPT = /\.[cm]?tsx?\b/;

/** Node's codes for a file that is not there, or is a folder. */
const NOT_FOUND = new Set(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT']);

/** Node's codes for a kind of file that it does not know, and for TypeScript that is more than types. */
const UNKNOWN_KIND = 'ERR_UNKNOWN_FILE_EXTENSION';
const NOT_ONLY_TYPES = 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';

const COMPILE = 'compile it to JavaScript';

/** tsx does not reach Workers of Node 20, https://github.com/privatenumber/tsx/issues/354, unless they register it themselves. */
const WITH_TSX =
  'or, with tsx, give the pool a .mjs file: ' +
  "import { register } from 'tsx/esm/api'; register(); export default await import('./script.ts');";

/** What to do where the script itself, and not a module of it, is not there. */
function missingAdvice(file) {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return '. This is a folder: name the file';
  if (stats !== undefined) return '';
  const { base } = path.parse(file);
  return (
    '. There is no such file. A relative path is looked for from the working directory, then from the folder of the file that ' +
    `makes the pool; see that it has its extension. A URL is always right: new URL('./${base}', import.meta.url)`
  );
}

/**
 * @param {unknown} error
 * @param {string} script its URL
 * @returns {string} to be put after Node's message; empty when there is nothing to say
 */
function loadAdvice(error, script) {
  const { code, message } = error ?? {};
  if (NOT_FOUND.has(code) && script.startsWith('file:')) return missingAdvice(fileURLToPath(script));
  if (code === UNKNOWN_KIND && TYPESCRIPT.test(message)) {
    const version = `Node.js ${process.version}`;
    return `. Workers of ${version} do not load TypeScript: use Node.js 22.18 or later, ${COMPILE}, ${WITH_TSX}`;
  }
  if (code === NOT_ONLY_TYPES) return `. Node.js removes types and translates nothing else: ${COMPILE}, or start with --import tsx`;
  return '';
}

module.exports = { loadAdvice };
