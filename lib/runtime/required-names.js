'use strict';

/** Which modules a source requires as soon as it is run: those it requires inside a function are not part of a start. */

/** `require('./x')` at a module's top level, as our files write it. */
const REQUIRED = /^(?:(?:const .*|\}) = )?require\('(\.[^']*)'\)/gm;

/**
 * @param {string} source
 * @returns {string[]} relative names, as they stand there
 */
const requiredNames = (source) => Array.from(source.matchAll(REQUIRED), ([, name]) => name);

module.exports = { requiredNames };
