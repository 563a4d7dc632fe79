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
  const lacks = name === ''
    ? "neither exports a function as its default nor listens for 'message' on its parentPort"
    : `exports no function '${name}'`;
  if (named.length === 0) return new UnknownTaskError(`${script} ${lacks}; it exports no function at all. ${howToExport(name)}`);
  const { meant } = require('../unknown-option');
  const near = name === '' ? '' : meant(name, named);
  const exported = `exports: ${named.join(', ')}`;
  const which = near === '' ? `; it ${exported}` : `${near} It ${exported}`;
  const advice = name === '' ? `. ${howToExport(name)}, or name one of these: run(name, input)` : '';
  return new UnknownTaskError(`${script} ${lacks}${which}${advice}`);
}

function howToExport(name) {
  if (name === '') return 'Export one: `export default (input) => …`, or `module.exports = (input) => …`';
  const known = /^[A-Za-z_$][\w$]*$/.test(name) ? name : 'name';
  return `Export it: \`export const ${known} = (input) => …\`, or \`exports.${known} = (input) => …\``;
}

module.exports = { unknownFunction };
