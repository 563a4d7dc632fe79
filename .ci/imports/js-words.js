'use strict';

/** The names and string literals of a JavaScript file's code: without comments, templates and regular expressions. */

const SPACE = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*[^]*?\*\//y;
const STRING = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
const NAME = /#?[\p{L}$_][\p{L}\p{N}$_]*/uy;
const NUMBER = /\d[\w.]*/y;
/** After these words a slash begins a regular expression. */
const BEFORE_VALUE = new Set([
  'await', 'case', 'delete', 'else', 'in', 'new', 'of', 'return', 'throw', 'typeof', 'void', 'yield',
]);

/**
 * @returns {{ text: string, line: number, isString: boolean, isRequired: boolean }[]} `isRequired`: what `require` or
 *   `import` is given
 */
function wordsOf(source) {
  const words = [];
  let at = 0;
  let line = 1;
  /** The last two pieces of code. */
  let last = '';
  let beforeLast = '';
  /** For each `{` that is open, whether it is that of a template's `${`. */
  const braces = [];

  function match(pattern) {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  }

  function pass(length) {
    for (const end = at + length; at < end; at++) if (source[at] === '\n') line++;
  }

  function note(piece) {
    beforeLast = last;
    last = piece;
  }

  /** From behind a template's beginning, or behind one of its `}`, to its end or its next `${`. */
  function passTemplate() {
    while (at < source.length && source[at] !== '`') {
      if (source.startsWith('${', at)) {
        braces.push(true);
        pass(2);
        note('{');
        return;
      }
      pass(source[at] === '\\' ? 2 : 1);
    }
    pass(1);
    note('`');
  }

  while (at < source.length) {
    let found;
    if ((found = match(SPACE) ?? match(COMMENT))) {
      pass(found.length);
    } else if ((found = match(STRING))) {
      const isArgument = last === '(' && ['require', 'import'].includes(beforeLast);
      const isRequired = isArgument || ['from', 'import'].includes(last);
      words.push({ text: found.slice(1, -1), line, isString: true, isRequired });
      pass(found.length);
      note('string');
    } else if ((found = match(NAME) ?? match(NUMBER))) {
      words.push({ text: found, line, isString: false, isRequired: false });
      pass(found.length);
      note(found);
    } else if (source[at] === '`') {
      pass(1);
      passTemplate();
    } else if (source[at] === '}' && braces.pop()) {
      pass(1);
      passTemplate();
    } else if (source[at] === '/' && isValueNext(last) && (found = match(REGEXP))) {
      pass(found.length);
      note('regexp');
    } else {
      if (source[at] === '{') braces.push(false);
      note(source[at]);
      pass(1);
    }
  }
  return words;
}

const isValueNext = (last) => BEFORE_VALUE.has(last) || !/^(?:[\p{L}\p{N}$_#].*|[)\]}`])$/u.test(last);

module.exports = { wordsOf };
