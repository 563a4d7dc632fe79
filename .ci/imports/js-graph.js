'use strict';

/**
 * Which file of `lib/` and index.js imports which.
 *
 * An arrow is a string in the code that names a file of ours as `require` finds it (`./x`, `../x`), or one that ends in
 * `.js` and names a file by its path from the same folder or from `lib/` (the file of a Worker, a list of files). Strings
 * inside functions count: what is loaded late is imported all the same. Types in comments (`import('./x')`) do not.
 */

const path = require('node:path').posix;

const { wordsOf } = require('./js-words');

const isScript = (file) => file === 'index.js' || (/^lib\/.*\.(?:c|m)?js$/.test(file) && !file.endsWith('.d.js'));

/** The file that a string names; undefined where it names none; null where there should be one. */
function target(file, text, sources) {
  const folder = path.dirname(file);
  const isRelative = /^\.\.?\/./.test(text);
  if (!isRelative && !/^[\w/-]+\.(?:c|m)?js$/.test(text)) return undefined;
  for (const base of isRelative ? [folder] : [folder, 'lib']) {
    const name = path.join(base, text);
    const found = [name, `${name}.js`, `${name}/index.js`].find((it) => isScript(it) && sources.has(it));
    if (found !== undefined) return found;
    if (sources.has(name)) return undefined;
  }
  return isRelative ? null : undefined;
}

/** What is made of our files, and is not in the repository. */
const GENERATED = new Set(['./lib/bundle']);

/**
 * @param {Map<string, string>} sources path -> text, for all files of the tree
 * @returns {{ language: string, files: string[], arrows: object[], faults: object[], words: object[] }} `words`: names
 *   and strings
 */
function jsGraph(sources) {
  const files = [...sources.keys()].filter(isScript);
  const arrows = [];
  const faults = [];
  const words = [];
  for (const file of files) {
    const seen = new Set();
    for (const { text, line, isString, isRequired } of wordsOf(sources.get(file))) {
      words.push({ file, line, text });
      if (!isString) continue;
      if (GENERATED.has(text)) continue;
      const to = target(file, text, sources);
      if (to === null && isRequired) faults.push({ file, line, text: `there is no ${text}` });
      if (typeof to !== 'string' || to === file || seen.has(to)) continue;
      seen.add(to);
      arrows.push({ from: file, to, line, text: `'${text}'` });
    }
  }
  return { language: 'javascript', files, arrows, faults, words };
}

module.exports = { jsGraph };
