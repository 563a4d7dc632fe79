'use strict';

/**
 * acorn, which parses functions that are to run in workers. The published package has a copy (`lib/install/bundle.js` puts it there); a
 * clone has the development package.
 */

const path = require('node:path');

const COPY = `${path.dirname(__dirname)}${path.sep}bundle${path.sep}acorn${path.sep}acorn.js`;

function load() {
  try {
    return require(COPY);
  } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND') throw error;
    return require('acorn');
  }
}

const { parse } = load();

/**
 * @param {string} text of a program
 * @returns {object} its tree, as ESTree has it
 * @throws {SyntaxError}
 */
const parseProgram = (text) =>
  parse(text, { ecmaVersion: 'latest', sourceType: 'script', allowSuperOutsideMethod: true, allowImportExportEverywhere: true });

module.exports = { parseProgram };
