'use strict';

/** What users mistake for a pack: the error says what is there, or near, and what to do. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { WorkerPool, errors } = require('rust-workers');
const { ADDON } = require('../../lib/install/paths');
const { compile, noCompiler, temporary } = require('../support/packs');

const pool = new WorkerPool({ maxThreads: 1 });
after(() => pool.close());

/** Why a file is no pack, without the words before that, which name it. */
function reasonOf(file) {
  let reason;
  assert.throws(() => pool.use(file), (error) => {
    assert.ok(error instanceof errors.PackLoadError, error.stack);
    const before = `the pack '${path.resolve(file)}' does not load: `;
    assert.ok(error.message.startsWith(before), error.message);
    reason = error.message.slice(before.length);
    return true;
  });
  return reason;
}

/** A project of Cargo's with these files, each empty. */
function project(name, ...files) {
  const folder = path.join(temporary(), name);
  for (const file of files) {
    fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), '');
  }
  return (file) => path.join(folder, file);
}

describe('a path that leads nowhere names what is near', () => {
  test('a library with the name that Cargo gives it on this system', () => {
    const of = project('names', 'target/release/libmy_tasks.so', 'target/release/libmy_tasks.d', 'target/release/libmy_tasks.rlib');
    for (const wrong of ['my_tasks.so', 'my-tasks.so', 'libmy-tasks.so', 'my_tasks.dll', 'libmy_tasks.dylib', 'my_tasks', 'my_tasks.node']) {
      const there = of('target/release/libmy_tasks.so');
      assert.equal(reasonOf(of(`target/release/${wrong}`)), `there is no such file; there is ${there}`, wrong);
    }
    assert.equal(reasonOf(of('target/release/libother.so')), 'there is no such file; build it, or check the path');
    assert.equal(reasonOf(of('nowhere/libmy_tasks.so')), 'there is no such file; build it, or check the path');
  });

  test('a build of the other profile', () => {
    const of = project('profiles', 'target/debug/libx.so', 'target/debug/liby.so', 'target/release/liby.so', 'target/release/libz.so');
    const there = (file) => `there is no such file; there is ${of(file)}: build this one, or give that path`;
    assert.equal(reasonOf(of('target/release/libx.so')), there('target/debug/libx.so'));
    assert.equal(reasonOf(of('target/debug/libz.so')), there('target/release/libz.so'));
    assert.equal(reasonOf(of('target/x86_64-unknown-linux-gnu/release/liby.so')), there('target/release/liby.so'));
  });

  test('the target folder of a workspace around the package', () => {
    const of = project('workspace', 'Cargo.toml', 'native/Cargo.toml', 'target/release/libx.so');
    assert.match(reasonOf(of('native/target/release/libx.so')), new RegExp(`there is ${of('target/release/libx.so')}: `));
  });

  test('a library that only Rust can use: the crate type is missing', () => {
    const of = project('crate-type', 'target/release/libmy_tasks.rlib');
    const reason = `there is no such file; there is ${of('target/release/libmy_tasks.rlib')}, which no program can load: ` +
      'put `crate-type = ["cdylib"]` under `[lib]` in Cargo.toml, and build again';
    assert.equal(reasonOf(of('target/release/libmy_tasks.so')), reason);
  });

  test('a program, where cargo new was not told of a library', () => {
    const of = project('program', 'target/release/my-tasks', 'target/release/my_tasks.d');
    const reason = `there is no such file; there is ${of('target/release/my-tasks')}, a program: put the tasks into src/lib.rs; put \`crate-type`;
    assert.ok(reasonOf(of('target/release/libmy_tasks.so')).startsWith(reason));
  });
});

describe('a file that is something else is called that', () => {
  const written = (name, contents) => {
    const file = path.join(temporary(), name);
    fs.writeFileSync(file, contents, 'latin1');
    return file;
  };

  test('a static library', () => {
    assert.match(reasonOf(written('libx.rlib', '!<arch>\n/  0')), /^it is a static library, .*crate-type = \["cdylib"\]/);
  });

  test('a source, and nothing', () => {
    assert.match(reasonOf(written('x.c', '#include <rust_workers.h>\r\n\t/* é */')), /^it is a text; compile it/);
    assert.equal(reasonOf(written('empty.so', '')), 'it is empty: build it again');
  });

  test('a library of another system', () => {
    const heads = { linux: '\x7fELF', macos: '\xcf\xfa\xed\xfe', windows: 'MZ\x90\0' };
    const own = { darwin: 'macos', win32: 'windows' }[process.platform] ?? process.platform;
    for (const [system, head] of Object.entries(heads)) {
      const reason = reasonOf(written(`${system}.so`, head + '\0'.repeat(100)));
      if (system === own) assert.match(reason, /no library that this process can open|it is a file for another kind of CPU/);
      else assert.equal(reason, `it is a file for ${system}, and this is ${own}: build it here`);
    }
  });

  test('a library of another CPU', { skip: noCompiler || process.platform !== 'linux' }, () => {
    const bytes = fs.readFileSync(compile('outcomes'));
    const [other, name, own] = process.arch === 'x64' ? [183, 'aarch64', 'x86_64'] : [62, 'x86_64', 'aarch64'];
    bytes[18] = other;
    const file = path.join(temporary(), 'other-cpu.so');
    fs.writeFileSync(file, bytes);
    assert.equal(reasonOf(file), `it is a file for ${name}, and this is ${own}: build it here`);
  });

  test('an object file, and a program', { skip: noCompiler || process.platform !== 'linux' }, () => {
    const source = path.join(temporary(), 'main.c');
    fs.writeFileSync(source, 'int main(void) { return 0; }\n');
    const make = (name, ...flags) => {
      const file = path.join(temporary(), name);
      assert.equal(spawnSync(process.env.CC ?? 'cc', [...flags, '-o', file, source]).status, 0);
      return file;
    };
    assert.match(reasonOf(make('main.o', '-c')), /^it is an object file: link it to a library, as `cc -shared/);
    assert.match(reasonOf(make('main')), /^it is no library that this process can open: .*executable/);
  });

  test('an addon', () => {
    assert.match(reasonOf(ADDON.file), /^it is an addon, and no pack: load it by `require`/);
  });

  test('a library without a pack: how one is made', { skip: noCompiler }, () => {
    const reason = reasonOf(compile('int other_function(void);\nint other_function(void) { return 1; }\n'));
    assert.match(reason, /^it is a library, and no pack: .*#\[rust_workers_task::task\] on a function.*; in C, RW_PACK at the end/);
  });
});

const hasCargo = spawnSync('cargo', ['--version']).status === 0;

describe('a crate that is no pack', { skip: hasCargo ? false : 'there is no cargo' }, () => {
  const ROOT = path.join(__dirname, '..', '..');
  /** What the template needs was compiled there by rust-pack.test.js. */
  const TARGET = path.join(ROOT, 'target', 'native-task', 'target');
  const [prefix, suffix] = { win32: ['', '.dll'], darwin: ['lib', '.dylib'] }[process.platform] ?? ['lib', '.so'];
  let folder;
  before(() => {
    folder = path.join(temporary(), 'mistaken');
    fs.mkdirSync(path.join(folder, 'src'), { recursive: true });
  });

  /** Builds it, and says where its library should be: under another name each time, since a file is loaded once. */
  function build(name, { crateType = 'crate-type = ["cdylib"]', source }) {
    const library = path.join(TARGET, 'release', `${prefix}${name}${suffix}`);
    fs.writeFileSync(
      path.join(folder, 'Cargo.toml'),
      `[package]\nname = "${name}"\nversion = "0.1.0"\nedition = "2024"\n\n[lib]\n${crateType}\n\n` +
        `[dependencies]\nrust-workers-task = { path = ${JSON.stringify(path.join(ROOT, 'crates', 'task'))} }\n\n[profile.release]\nlto = "thin"\n`,
    );
    fs.writeFileSync(path.join(folder, 'src', 'lib.rs'), source);
    fs.rmSync(library, { force: true });
    const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
    const { status, stderr } = spawnSync('cargo', ['build', '--release', '--quiet'], { cwd: folder, env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return library;
  }

  test('since it has no crate-type', () => {
    const library = build('no_crate_type', { crateType: '', source: 'use rust_workers_task::task;\n#[task]\nfn two() -> f64 { 2.0 }\n' });
    assert.match(reasonOf(library), /no_crate_type\.rlib, which no program can load: put `crate-type = \["cdylib"\]`/);
  });

  test('since it has no task', () => {
    const library = build('no_task', { source: 'pub fn fails() -> rust_workers_task::Error { rust_workers_task::Error::new("no") }\n' });
    assert.equal(reasonOf(library), 'it refused: it has no task: put #[rust_workers_task::task] on a function');
  });

  test('since it does not even name the crate', () => {
    const library = build('no_name', { source: 'pub fn two() -> f64 { 2.0 }\n' });
    assert.match(reasonOf(library), /it is a library, and no pack: .*put #\[rust_workers_task::task\] on a function/);
  });
});
