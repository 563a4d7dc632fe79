'use strict';

/** The sources of our modules as texts, for the bundle and for what a pool's worker gets compiled. */

const path = require('node:path');

/** `require('./x')` at a module's top level, as our files write it: what is required inside a function is no part of a start. */
const REQUIRED = /^(?:(?:const .*|\}) = )?require\('(\.[^']*)'\)/gm;

/** The function that Node makes of a module, by which the module gets its own names. */
const functionText = (source) => `function (exports, require, module, __filename, __dirname) { ${source}\n}`;

/** A source in ASCII: one character that takes two bytes would make a string of twice the length of the whole file. */
const inAscii = (source) =>
  source.replace(/[^\x00-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * Modules with all that they require as soon as they run.
 *
 * @param {string[]} entries names of modules: their files seen from lib, without `.js`
 * @param {(id: string) => string | undefined} sourceOf undefined: there is no such module
 * @param {string} [leaf] a module whose own requirements are left out
 * @returns {Map<string, string>} the source of each, by its name
 */
function withRequired(entries, sourceOf, leaf) {
  const sources = new Map();
  function collect(id) {
    if (sources.has(id)) return true;
    const source = sourceOf(id);
    if (source === undefined) return false;
    sources.set(id, source);
    if (id === leaf) return true;
    for (const [, name] of source.matchAll(REQUIRED)) {
      const target = path.posix.join(path.posix.dirname(id), name);
      if (!collect(target)) collect(`${target}/index`);
    }
    return true;
  }
  for (const entry of entries) collect(entry);
  return sources;
}

module.exports = { functionText, inAscii, withRequired };
