'use strict';

/** The check of imports (.ci/imports): the tree breaks no rule, and what breaks one is found. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');

const { complaints, graphsOf, read } = require('../.ci/imports/check');
const { judge } = require('../.ci/imports/judge');
const table = require('../.ci/imports/rooms');

const TREE = read(path.join(__dirname, '..'));

const about = (sources, rules = table) => complaints(judge(graphsOf(sources), rules));

const KNOWN = about(TREE);

/** What is said of the tree with these files in place of its own, and not of the tree as it is. */
const aboutPlanted = (planted) =>
  about(new Map([...TREE, ...Object.entries(planted)])).filter((complaint) => !KNOWN.includes(complaint));

/** The arrows of a few files, as `from:line to`. */
function arrows(files) {
  const sources = new Map(Object.entries(files));
  const [rust, javascript] = graphsOf(sources);
  for (const { faults } of [rust, javascript]) assert.deepEqual(faults, []);
  return [...rust.arrows, ...javascript.arrows].map(({ from, line, to }) => `${from}:${line} ${to}`);
}

describe('the tree', () => {
  test('breaks no rule', () => {
    assert.deepEqual(KNOWN, []);
  });

  test('is read: each room has files, and they import something', () => {
    const [rust, javascript] = graphsOf(TREE);
    assert.ok(rust.files.length > 80 && rust.arrows.length > 3 * rust.files.length);
    assert.ok(javascript.files.length > 80 && javascript.arrows.length > 2 * javascript.files.length);
  });
});

describe('what is planted is found', () => {
  test('in Rust: a forbidden arrow, and the circle that it closes', () => {
    const line = TREE.get('src/error.rs').split('\n').length;
    const found = aboutPlanted({ 'src/error.rs': `${TREE.get('src/error.rs')}fn f() { crate::panic::guard(|| 1) }\n` });
    const arrow = `src/error.rs:${line}  crate::panic::guard → src/panic.rs`;
    assert.equal(found.length, 2);
    assert.ok(found[0].startsWith('circle of 2 files, the shortest way round:\n    src/error.rs:'), found[0]);
    assert.ok(found[0].includes(arrow), found[0]);
    assert.ok(found[1].startsWith(`forbidden arrow: ${arrow}\n    src/error must not import src/panic. `), found[1]);
  });

  test('in JavaScript: a forbidden arrow, and the circle that it closes', () => {
    const found = aboutPlanted({
      'lib/errors.js': `${TREE.get('lib/errors.js')}\nfunction late() {\n  return require('./native/load');\n}\n`,
    });
    const line = TREE.get('lib/errors.js').split('\n').length + 2;
    const arrow = `lib/errors.js:${line}  './native/load' → lib/native/load.js`;
    assert.equal(found.length, 2);
    assert.ok(found[0].startsWith('circle of '), found[0]);
    assert.ok(found[0].includes(arrow), found[0]);
    assert.ok(found[1].startsWith(`forbidden arrow: ${arrow}\n    lib/errors must not import lib/native. `), found[1]);
  });

  test('a file in no room, and a file of Rust that no `mod` names', () => {
    assert.deepEqual(aboutPlanted({ 'lib/nowhere.js': '' }), ['file in no room: lib/nowhere.js']);
    assert.deepEqual(
      aboutPlanted({ 'src/nowhere.rs': '', 'src/lib.rs': `${TREE.get('src/lib.rs')}mod nowhere;\n` }),
      ['file in no room: src/nowhere.rs'],
    );
    const fault = 'fault: src/pool/nowhere.rs:1  no `mod` names this file';
    assert.deepEqual(aboutPlanted({ 'src/pool/nowhere.rs': '' }), [fault]);
  });

  test('a module that is not there', () => {
    const [missing] = aboutPlanted({ 'lib/native/version.js': "require('./gone');\n" });
    assert.equal(missing, 'fault: lib/native/version.js:1  there is no ./gone');
  });

  test('words in the wrong room', () => {
    const [raw] = aboutPlanted({ 'src/sync.rs': `${TREE.get('src/sync.rs')}use napi::sys::napi_env;\n` });
    assert.match(raw, /^word in the wrong room: src\/sync\.rs:\d+ {2}napi::sys::napi_env\n/);
    const found = aboutPlanted({ 'src/sync.rs': `${TREE.get('src/sync.rs')}#[napi(js_name = "x")]\nfn x() {}\n` });
    assert.match(found.join('\n'), /^word in the wrong room: src\/sync\.rs:\d+ {2}#\[napi\]\n/);
    const [undocumented] = aboutPlanted({ 'lib/native/version.js': 'module.exports = process._tickCallback;\n' });
    assert.match(undocumented, /^word in the wrong room: lib\/native\/version\.js:1 {2}_tickCallback\n/);
  });

  test('faults of the table', () => {
    const rooms = [
      { room: 'low', files: ['index.js'], imports: [], why: '' },
      { room: 'high', files: ['lib/gone.js'], imports: ['low'], why: '' },
    ];
    assert.deepEqual(about(new Map([['index.js', '']]), { rooms, words: [] }), [
      'rooms.js: high may import low, but that does not stand below it',
      'rooms.js: high names lib/gone.js, which is not there',
    ]);
  });
});

describe('arrows of Rust', () => {
  const house = (code) =>
    arrows({ 'src/lib.rs': 'mod a;\nmod b;\n', 'src/a.rs': code, 'src/b.rs': 'pub struct B;\n' });

  test('of every form of path', () => {
    for (const code of [
      'use crate::b::B;',
      'use super::b::{self};',
      'use crate::{b::{B as Other}};',
      'pub(crate) use crate::b::*; type T = B;',
      'type T = Vec<crate::b::B>;',
      'fn f() { let x = super::b::B; }',
      'fn f() { use crate::b; b::B }',
      'macro_rules! m { () => { $crate::b::B } }',
      "fn f<'a>(x: &'a str) -> char { crate::b::B; '\\'' }",
      'mod inner { use super::super::b::B; }',
      '#[cfg(not(test))] use crate::b::B;',
      '#[cfg(any(test, unix))] use crate::b::B;',
      '#[cfg(test)] use std::fmt; use crate::b::B;',
      '#[cfg(test)] fn f() { {} } impl X { fn g() { crate::b::B } }',
      'struct S { #[cfg(test)] x: Vec<(u8, u8)>, y: crate::b::B }',
    ]) {
      assert.deepEqual(house(`\n${code}\n`), ['src/a.rs:2 src/b.rs'], code);
    }
  });

  test('not of comments, strings, tests and visibility', () => {
    for (const code of [
      '// use crate::b::B;',
      '/* /* */ use crate::b::B; */',
      '/// [`crate::b::B`]\nfn f() {}',
      'const X: &str = "use crate::b::B;";',
      'const X: &str = r#"" use crate::b::B; "#;',
      '#[cfg(test)] use crate::b::B;',
      '#[cfg(all(test, not(loom)))] mod tests { use crate::b::B; fn f() { crate::b::B } }',
      '#[test] fn f() { crate::b::B }',
      'impl X { #[cfg(test)] pub(crate) fn f(&self) -> [u8; 2] { crate::b::B } }',
      'pub(in crate::b) fn f() {}',
      'use other::b::B;',
    ]) {
      assert.deepEqual(house(code), [], code);
    }
  });

  test('run to the file that defines the item', () => {
    const files = {
      'src/lib.rs': 'mod a;\nmod pool;\npub use pool::Pool;\n',
      'src/pool/mod.rs': 'mod threads;\nmod config;\npub use config::{config, *};\npub use threads::Pool;\n',
      'src/pool/threads.rs': 'use super::Config;\npub struct Pool;\nimpl Pool { pub const MOST: u8 = 1; }\n',
      'src/pool/config.rs': 'pub use std::sync::Arc;\npub enum Config { One }\npub fn config() {}\n',
    };
    const from = (code) => arrows({ ...files, 'src/a.rs': code }).filter((arrow) => arrow.startsWith('src/a.rs'));
    assert.deepEqual(from('use crate::pool::Pool;'), ['src/a.rs:1 src/pool/threads.rs']);
    assert.deepEqual(from('use crate::Pool;'), ['src/a.rs:1 src/pool/threads.rs']);
    assert.deepEqual(from('use crate::pool;\nconst X: u8 = pool::Pool::MOST;'), ['src/a.rs:2 src/pool/threads.rs']);
    assert.deepEqual(from('use crate::pool::Config::One;'), ['src/a.rs:1 src/pool/config.rs']);
    // Both a module and a function.
    assert.deepEqual(from('use crate::pool::config;'), ['src/a.rs:1 src/pool/config.rs']);
    assert.deepEqual(from('use crate::pool::Arc;'), ['src/a.rs:1 src/pool/config.rs']);
    // What an entry re-exports of its own folder is no arrow of it.
    assert.deepEqual(arrows({ ...files, 'src/a.rs': '' }), ['src/pool/threads.rs:1 src/pool/config.rs']);
  });

  test('an entry that defines something is a file like others', () => {
    const files = {
      'src/lib.rs': 'mod a;\n',
      'src/a/mod.rs': 'mod b;\npub use b::B;\nconst A: u8 = 1;\n',
      'src/a/b.rs': 'pub struct B;\nconst B: u8 = super::A;\n',
    };
    assert.deepEqual(arrows(files), ['src/a/b.rs:2 src/a/mod.rs']);
    files['src/a/mod.rs'] += 'fn b() -> B {}\n';
    assert.deepEqual(arrows(files), ['src/a/mod.rs:2 src/a/b.rs', 'src/a/b.rs:2 src/a/mod.rs']);
  });

  test('files of tests are left out', () => {
    const files = {
      'src/lib.rs': '#[cfg(all(test, loom))]\nmod tests;\nmod b;\n',
      'src/tests/mod.rs': 'mod more;\nuse crate::b::B;\n',
      'src/tests/more.rs': 'use crate::b::B;\n',
      'src/b.rs': 'pub struct B;\n',
    };
    assert.deepEqual(arrows(files), []);
    assert.deepEqual(graphsOf(new Map(Object.entries(files)))[0].files, ['src/lib.rs', 'src/b.rs']);
  });
});

describe('arrows of JavaScript', () => {
  const house = (code) =>
    arrows({ 'lib/a.js': code, 'lib/room/b.js': '', 'lib/room/index.js': '', 'package.json': '{}' });

  test('of every form of import', () => {
    for (const code of [
      "const { b } = require('./room/b');",
      'const b = require("./room/b.js");',
      "function f() { return require('./room/b').b; }",
      "const f = () => import('./room/b.js');",
      "import b from './room/b.js';",
      "const x = `${require('./room/b')}`;",
      "const x = a / 2; const b = require('./room/b'); // 2 / 1",
      "const x = /['/]/.test(y) && require('./room/b');",
      "new Worker(path.join(__dirname, 'room/b.js'));",
      "const b = ours('./room/b');",
    ]) {
      assert.deepEqual(house(`\n${code}\n`), ['lib/a.js:2 lib/room/b.js'], code);
    }
    assert.deepEqual(house("require('./room');"), ['lib/a.js:1 lib/room/index.js']);
  });

  test('not of comments, types, texts and other packages', () => {
    for (const code of [
      "// require('./room/b')",
      "/** @param {import('./room/b').B} b */",
      "const x = `require('./room/b')`;",
      "const x = /require('.\\/room\\/b')/;",
      "require('node:fs'); require('./../package.json');",
      "text.startsWith('./');",
    ]) {
      assert.deepEqual(house(code), [], code);
    }
  });
});

test('of a circle the shortest way round is told', () => {
  const sources = new Map(
    Object.entries({
      'lib/a.js': "require('./b'); require('./d');",
      'lib/b.js': "require('./c');",
      'lib/c.js': "require('./a');",
      'lib/d.js': "\nrequire('./a');",
    }),
  );
  const rooms = [{ room: 'lib', files: ['lib/'], imports: [], why: '' }];
  assert.deepEqual(about(sources, { rooms, words: [] }), [
    'circle of 4 files, the shortest way round:\n' +
      "    lib/a.js:1  './d' → lib/d.js\n    lib/d.js:2  './a' → lib/a.js\n" +
      "    The circle's files: lib/a.js, lib/b.js, lib/c.js, lib/d.js",
  ]);
});

test('the command names what it finds, and fails', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-house-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  for (const folder of ['src', 'lib']) fs.mkdirSync(path.join(root, folder));
  const files = {
    'src/lib.rs': 'mod error;\nmod panic;\n',
    'src/error.rs': 'use crate::panic::P;\npub struct E;\n',
    'src/panic.rs': 'pub struct P;\n',
    'lib/errors.js': '',
    'index.js': "require('./lib/errors');\n",
    'package.json': '{}',
  };
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(root, file), text);
  const check = (...options) => {
    const command = path.join(__dirname, '..', '.ci', 'imports', 'check.js');
    const { status, stdout } = spawnSync(process.execPath, [command, ...options, root], { encoding: 'utf8' });
    return { status, stdout };
  };
  const complaint = 'forbidden arrow: src/error.rs:1  crate::panic::P → src/panic.rs\n';
  const { status, stdout } = check();
  assert.equal(status, 1);
  assert.ok(stdout.includes(complaint), stdout);
  const list = check('--list');
  assert.equal(list.status, 0);
  assert.ok(list.stdout.includes(complaint), list.stdout);
  const rooms = check('--tree').stdout;
  assert.ok(rooms.includes('src/error → src/panic\n    src/error.rs\n'), rooms);
});
