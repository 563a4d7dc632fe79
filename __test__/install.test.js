'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { atLeast } = require('../lib/install/toolchain');

const BUILD = path.join(__dirname, '..', 'lib', 'install', 'build.js');

// The stand-ins for tools are shell scripts, and Windows looks for its compiler by itself.
describe('a build that cannot be done', { skip: process.platform === 'win32' }, () => {
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-install-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Runs a forced build where only these commands exist, each printing one line. */
  function buildWith(name, commands, env = {}) {
    const bin = path.join(folder, name);
    fs.mkdirSync(bin);
    for (const [command, line] of Object.entries(commands)) {
      fs.writeFileSync(path.join(bin, command), `#!/bin/sh\necho '${line}'\n`, { mode: 0o755 });
    }
    const { status, stderr } = spawnSync(process.execPath, [BUILD, '--force'], {
      env: { PATH: bin, ...env },
      encoding: 'utf8',
    });
    return { status, stderr };
  }

  test('without cargo: says so, and where to get it', () => {
    const { status, stderr } = buildWith('no-cargo', { cc: 'cc 12' });
    assert.equal(status, 1);
    assert.match(stderr, /cargo was not found: install Rust \d.* https:\/\/rustup\.rs/);
    assert.doesNotMatch(stderr, /C compiler was not found/);
    assert.doesNotMatch(stderr, /\n {4}at /, 'no stack is shown');
  });

  test('with a Rust that is too old: names both versions', () => {
    const { status, stderr } = buildWith('old', {
      cc: 'cc 12',
      cargo: 'cargo 1.60.0',
      rustc: 'rustc 1.60.0 (abc)',
    });
    assert.equal(status, 1);
    assert.match(stderr, /Rust 1\.60\.0 is too old, \d+\.\d+ is needed: rustup update stable/);
  });

  test('without a C compiler: says so, and how to install one', () => {
    const tools = { cargo: 'cargo 9.0.0', rustc: 'rustc 9.0.0 (abc)' };
    const { status, stderr } = buildWith('no-cc', tools);
    assert.equal(status, 1);
    assert.match(stderr, /a C compiler was not found \(looked for "cc"/);
    assert.doesNotMatch(stderr, /cargo was not found/);
  });

  test('without anything: one list of all that is missing', () => {
    const { status, stderr } = buildWith('nothing', {});
    assert.equal(status, 1);
    assert.equal(stderr.match(/^ {2}- /gm).length, 2);
  });

  test('a binary of the user’s own is left alone, with no tool needed', () => {
    const { status, stderr } = buildWith('own', {}, { RUST_WORKERS_BINARY: '/somewhere.node' });
    assert.equal(status, 0);
    assert.match(stderr, /RUST_WORKERS_BINARY is set: nothing is built/);
  });
});

test('versions are compared part by part, as numbers', () => {
  assert.ok(atLeast('1.95.0', '1.95'));
  assert.ok(atLeast('1.100.0', '1.95'));
  assert.ok(atLeast('2.0.0', '1.95.3'));
  assert.ok(!atLeast('1.94.9', '1.95'));
  assert.ok(!atLeast('1.95.0', '1.95.1'));
});
