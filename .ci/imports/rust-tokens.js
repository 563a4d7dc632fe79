'use strict';

/**
 * The tokens of a Rust file: no comments, no strings, and nothing that only test builds compile.
 *
 * An attribute is taken off its item. An item is left out when its `cfg` is false without `test`; what other `cfg`s say
 * (`loom`, `unix` …) is not known here, so their items stay.
 */

const OPENS = { '(': ')', '[': ']', '{': '}' };
const CLOSES = new Set([')', ']', '}']);

const SPACE = /\s+/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const RAW_STRING = /(?:b|c)?r(#*)"/y;
const STRING = /(?:b|c)?"(?:[^"\\]|\\[^])*"/y;
const CHARACTER = /b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])'/uy;
const LIFETIME = /'[\p{L}_][\p{L}\p{N}_]*/uy;
const NAME = /(?:r#)?[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /\d\w*(?:\.\d\w*)?/y;

/** @returns {{ text: string, isName: boolean, line: number }[]} */
function tokensOf(source) {
  const tokens = [];
  let at = 0;
  let line = 1;

  function match(pattern) {
    pattern.lastIndex = at;
    return pattern.exec(source);
  }

  function pass(length) {
    for (const end = at + length; at < end; at++) if (source[at] === '\n') line++;
  }

  function passBlockComment() {
    let depth = 0;
    do {
      if (source.startsWith('/*', at)) {
        depth++;
        pass(2);
      } else if (source.startsWith('*/', at)) {
        depth--;
        pass(2);
      } else {
        pass(1);
      }
    } while (depth > 0 && at < source.length);
  }

  while (at < source.length) {
    let found;
    if ((found = match(SPACE) ?? match(LINE_COMMENT))) {
      pass(found[0].length);
    } else if (source.startsWith('/*', at)) {
      passBlockComment();
    } else if ((found = match(RAW_STRING))) {
      const end = source.indexOf(`"${found[1]}`, at + found[0].length);
      pass((end < 0 ? source.length : end + 1 + found[1].length) - at);
    } else if ((found = match(STRING) ?? match(CHARACTER) ?? match(LIFETIME) ?? match(NUMBER))) {
      pass(found[0].length);
    } else if ((found = match(NAME))) {
      tokens.push({ text: found[0].replace(/^r#/, ''), isName: true, line });
      pass(found[0].length);
    } else {
      const text = source.startsWith('::', at) ? '::' : source[at];
      tokens.push({ text, isName: false, line });
      pass(text.length);
    }
  }
  return tokens;
}

/** The index behind the bracket that closes the one at `open`. */
function behindGroup(tokens, open) {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i].text in OPENS) depth++;
    else if (CLOSES.has(tokens[i].text) && --depth === 0) return i + 1;
  }
  return tokens.length;
}

/** Whether a `cfg` holds in a build without tests: true, false, or undefined where something else decides. */
function holds(predicate) {
  const [name, open, ...rest] = predicate;
  if (open?.text !== '(') return name?.text === 'test' ? false : undefined;
  const operands = [[]];
  let depth = 0;
  for (const token of rest.slice(0, -1)) {
    if (token.text in OPENS) depth++;
    if (CLOSES.has(token.text)) depth--;
    if (token.text === ',' && depth === 0) operands.push([]);
    else operands.at(-1).push(token);
  }
  const answers = operands.filter((operand) => operand.length > 0).map(holds);
  if (name.text === 'not') return answers[0] === undefined ? undefined : !answers[0];
  const decisive = name.text === 'any';
  if (answers.includes(decisive)) return decisive;
  return answers.includes(undefined) ? undefined : !decisive;
}

/** Whether an attribute, the tokens within its brackets, leaves its item to test builds. */
function isOfTests(attribute) {
  if (attribute.length === 1) return attribute[0].text === 'test';
  return attribute[0]?.text === 'cfg' && holds(attribute.slice(2, -1)) === false;
}

/** They end at a semicolon, whatever brackets stand before it. */
const STATEMENTS = new Set(['use', 'const', 'static', 'type', 'let']);
/** They end at a semicolon, or behind the first braces. */
const ITEMS = new Set([
  'async', 'enum', 'extern', 'fn', 'impl', 'macro_rules', 'mod', 'struct', 'trait', 'union', 'unsafe',
]);

/** The index behind the item, statement, field or arm that begins at `start`. */
function behindItem(tokens, start) {
  let i = start;
  if (tokens[i]?.text === 'pub') i = tokens[i + 1]?.text === '(' ? behindGroup(tokens, i + 1) : i + 1;
  const isConstFn = tokens[i]?.text === 'const' && ['fn', 'unsafe', 'extern'].includes(tokens[i + 1]?.text);
  const isStatement = STATEMENTS.has(tokens[i]?.text) && !isConstFn;
  const isItem = ITEMS.has(tokens[i]?.text) || isConstFn;
  while (i < tokens.length) {
    const { text } = tokens[i];
    if (text === ';') return i + 1;
    if (!isItem && !isStatement && text === ',') return i + 1;
    if (CLOSES.has(text)) return i;
    if (text in OPENS) {
      i = behindGroup(tokens, i);
      if (text === '{' && !isStatement) return tokens[i]?.text === ',' && !isItem ? i + 1 : i;
    } else {
      i++;
    }
  }
  return i;
}

/**
 * @returns {{ tokens: object[], attributes: object[], testModules: string[], isTest: boolean }}
 *   `tokens` without attributes and test items; `attributes` by their first word; `testModules`: the modules that were
 *   left out; `isTest`: the file itself is only compiled for tests
 */
function codeOf(source) {
  const all = tokensOf(source);
  const tokens = [];
  const attributes = [];
  const testModules = [];
  let isTest = false;
  let isLeftOut = false;
  for (let i = 0; i < all.length; ) {
    const isInner = all[i].text === '#' && all[i + 1]?.text === '!' && all[i + 2]?.text === '[';
    if (isInner || (all[i].text === '#' && all[i + 1]?.text === '[')) {
      const open = isInner ? i + 2 : i + 1;
      const end = behindGroup(all, open);
      const ofTests = isOfTests(all.slice(open + 1, end - 1));
      if (isInner) isTest ||= ofTests;
      else isLeftOut ||= ofTests;
      attributes.push({ text: `#[${all[open + 1]?.text}]`, line: all[i].line });
      i = end;
    } else if (isLeftOut) {
      const end = behindItem(all, i);
      const at = all.slice(i, end).findIndex(({ text }) => text === 'mod');
      if (at >= 0) testModules.push(all[i + at + 1].text);
      isLeftOut = false;
      i = Math.max(end, i + 1);
    } else {
      tokens.push(all[i++]);
    }
  }
  return { tokens, attributes, testModules, isTest };
}

module.exports = { behindGroup, codeOf };
