'use strict';

// The numbers that both languages know: Rust exports each by name, and JavaScript uses each, and no others.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const constants = require('../lib/constants');

const LIB = path.join(__dirname, '..', 'lib');
const GROUP = Object.keys(constants).join('|');

/** All our JavaScript, by file. */
const sources = fs
  .readdirSync(LIB, { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map((file) => [file, fs.readFileSync(path.join(LIB, file), 'utf8')]);

/** `A, B: c` → A, B */
const namesIn = (pattern) => pattern.split(',').map((name) => name.split(':')[0].trim()).filter((name) => /^\w/.test(name));

/** What a file that requires lib/constants.js uses of it: `GROUP.NAME`. */
function* usesIn(source) {
  if (!/constants'\)/.test(source)) return;
  for (const [, names, group] of source.matchAll(/const \{([^}]*)\} = require\('[./]*constants'\)\.(\w+);/g)) {
    for (const name of namesIn(names)) yield `${group}.${name}`;
  }
  for (const [, names, group] of source.matchAll(new RegExp(`const \\{([^}]*)\\} = (${GROUP});`, 'g'))) {
    for (const name of namesIn(names)) yield `${group}.${name}`;
  }
  for (const [use] of source.matchAll(new RegExp(`(?<![\\w.])(?:${GROUP})\\.[A-Z][A-Z0-9_]*\\b`, 'g'))) yield use;
  // A lock's layout takes these; the kinds of bytes are gone through by name.
  for (const [, group] of source.matchAll(/new LockLayout\('\w+', (\w+)\)/g)) {
    yield `${group}.MAGIC`;
    if ('BYTES' in constants[group]) yield `${group}.BYTES`;
  }
  if (source.includes('keysOf(BYTES)')) for (const name of Object.keys(constants.BYTES)) yield `BYTES.${name}`;
}

const exported = new Set();
for (const [group, numbers] of Object.entries(constants)) {
  for (const name of Object.keys(numbers)) exported.add(`${group}.${name}`);
}

/** The wire tags that the reader's jump table has as literals. */
const jumps = [...sources.find(([file]) => file.endsWith('reader.js'))[1].matchAll(/case (0x[0-9a-f]{2}) \/\* (\w+) \*\/:/g)];

test('every number that JavaScript uses is exported, and the other way about', () => {
  const used = new Set();
  for (const [file, source] of sources) {
    for (const use of usesIn(source)) {
      assert.ok(exported.has(use), `${file} uses ${use}, which Rust does not export`);
      used.add(use);
    }
  }
  for (const [, , name] of jumps) used.add(`TAGS.${name}`);
  assert.deepEqual([...exported].filter((name) => !used.has(name)), []);
});

test('they are whole numbers', () => {
  for (const numbers of Object.values(constants)) {
    for (const number of Object.values(numbers)) assert.ok(Number.isSafeInteger(number));
  }
});

test("the literals of the reader's jump table are the wire tags", () => {
  assert.equal(jumps.length, 26);
  for (const [, literal, name] of jumps) assert.equal(Number(literal), constants.TAGS[name], name);
});
