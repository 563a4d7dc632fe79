'use strict';

/** Where the source of a function stands: the file of the code that called us, or of its callers, which has the very text. */

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

const OWN_FOLDER = path.dirname(__dirname) + path.sep;

const pathOf = (file) => (file.startsWith('file:') ? fileURLToPath(file) : file);

/** The calls on the stack outside this package, the last first: each with its file as Node names it, and the line. */
function callers() {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    // Where intrinsics are frozen neither can be set, and the stack is a text.
    Reflect.set(Error, 'stackTraceLimit', 64);
    Reflect.set(Error, 'prepareStackTrace', (_, frames) =>
      frames.map((frame) => ({ file: frame.getFileName(), line: frame.getLineNumber() })));
    const holder = {};
    Error.captureStackTrace(holder, callers);
    return Array.isArray(holder.stack) ? holder.stack.filter(isOutside) : [];
  } finally {
    Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

function isOutside({ file }) {
  if (typeof file !== 'string' || file.startsWith('node:')) return false;
  const isPath = file.startsWith('file:') || path.isAbsolute(file);
  return isPath && !pathOf(file).startsWith(OWN_FOLDER);
}

function readText(file) {
  try {
    return fs.readFileSync(pathOf(file), 'utf8');
  } catch {
    return '';
  }
}

/** The lines and columns, from 1, at which a text stands in another. */
function* occurrences(whole, text) {
  let line = 1;
  let lineStart = 0;
  for (let at = whole.indexOf(text); at !== -1; at = whole.indexOf(text, at + 1)) {
    for (let end = whole.indexOf('\n', lineStart); end !== -1 && end < at; end = whole.indexOf('\n', lineStart)) {
      line++;
      lineStart = end + 1;
    }
    yield { line, column: at - lineStart + 1 };
  }
}

/**
 * @param {string} text of a function
 * @returns {{ file: string | undefined, line: number, column: number }} where there are several, that nearest to the call; where
 *   there is none (the file was changed, or its types were taken out), the line of the call
 */
function placeOfText(text) {
  const stack = callers();
  const seen = new Set();
  for (const { file, line: calledAt } of stack) {
    if (seen.has(file)) continue;
    seen.add(file);
    let nearest;
    for (const { line, column } of occurrences(readText(file), text)) {
      const distance = Math.abs(line - calledAt);
      if (nearest === undefined || distance < nearest.distance) nearest = { file, line, column, distance };
    }
    if (nearest !== undefined) return { file, line: nearest.line, column: nearest.column };
  }
  const [{ file, line } = { file: undefined, line: 1 }] = stack;
  return { file, line, column: 1 };
}

module.exports = { placeOfText };
