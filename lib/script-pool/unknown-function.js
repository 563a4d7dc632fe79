'use strict';

const { UnknownTaskError } = require('../errors');

/**
 * The error of a task whose function the script does not have.
 *
 * @param {string} name '' for a task that names none
 * @param {Iterable<string>} names what the script exports
 * @param {string} script 'The script', and where it is known which one
 */
function unknownFunction(name, names, script = 'The script') {
  const named = [...names].filter((known) => known !== '');
  const exported = named.length > 0 ? `it exports: ${named.join(', ')}` : 'it exports no function';
  const lacks = name === ''
    ? "neither exports a function as its default nor listens for 'message' on its parentPort"
    : `exports no function '${name}'`;
  return new UnknownTaskError(`${script} ${lacks}; ${exported}`);
}

module.exports = { unknownFunction };
