'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { npmCommand } = require('../lib/install/npm');
const { atLeast } = require('../lib/install/toolchain');
const { version } = require('../package.json');

/** As Node.js is installed on Windows. */
const hasNpmBeside = fs.existsSync(path.join(path.dirname(process.execPath), 'node_modules', 'npm'));

const BUILD = path.join(__dirname, '..', 'lib', 'install', 'build.js');

// The stand-ins for tools are shell scripts, and Windows looks for its compiler by itself.
describe('a build that cannot be done', { skip: process.platform === 'win32' }, () => {
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-install-'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Runs a forced build where only these commands exist, each printing one line; or, as `{ fails }`, failing with it. */
  function buildWith(name, commands, env = {}) {
    const bin = path.join(folder, name);
    fs.mkdirSync(bin);
    for (const [command, line] of Object.entries(commands)) {
      const script = line.fails === undefined ? `echo '${line}'` : `/bin/cat >&2 <<'END'\n${line.fails}\nEND\nexit 1`;
      fs.writeFileSync(path.join(bin, command), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
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

  test('with cargo and no toolchain behind it: says so, and what to run', () => {
    const none =
      "error: rustup could not choose a version of cargo to run, because one wasn't specified explicitly, and no default is configured.\n" +
      "help: run 'rustup default stable' to download the latest stable release of Rust and set it as your default toolchain.\n" +
      '\nStack backtrace:\n   0: anyhow::error\n';
    const { status, stderr } = buildWith('no-default', { cc: 'cc 12', cargo: { fails: none }, rustc: { fails: none } });
    assert.equal(status, 1);
    assert.match(stderr, /cargo is there, and rustup has no toolchain .*no default is configured.*rustup default stable/);
    assert.doesNotMatch(stderr, /not found|backtrace/);
    assert.equal(stderr.match(/^ {2}- /gm).length, 1);
  });

  test('with a toolchain that is named and not installed: says which', () => {
    const fails = "error: toolchain '1.95.0-x86_64-unknown-linux-gnu' is not installed\nhelp: run `rustup toolchain install 1.95.0`";
    const { stderr } = buildWith('not-installed', { cc: 'cc 12', cargo: { fails } });
    assert.match(stderr, /toolchain '1\.95\.0-x86_64-unknown-linux-gnu' is not installed"\): rustup toolchain install/);
  });

  test('with a rustc, or a C compiler, that fails: its first words, and no word of its absence', () => {
    const broken = buildWith('broken', { cc: 'cc 12', cargo: 'cargo 9.0.0', rustc: { fails: 'cannot load librustc_driver.so' } });
    assert.match(broken.stderr, /rustc is there, and fails \(it says: "cannot load librustc_driver\.so"\): run "rustc --version"/);
    const tools = { cargo: 'cargo 9.0.0', rustc: 'rustc 9.0.0 (abc)' };
    const licence = buildWith('licence', { ...tools, cc: { fails: 'You have not agreed to the Xcode license agreements.' } });
    assert.match(licence.stderr, /the C compiler "cc" is there, and fails \(it says: "You have not agreed/);
    assert.doesNotMatch(licence.stderr, /not found/);
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

describe('the command rust-workers', () => {
  const CLI = path.join(__dirname, '..', 'lib', 'install', 'cli.js');
  const run = (args, env = {}) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
    return { status, stdout, stderr };
  };

  test('what it does not know is refused by name, with all that there is', () => {
    for (const [args, complaint] of [
      [[], 'a command is missing'],
      [['biuld'], 'there is no command "biuld"'],
      [['toString'], 'there is no command "toString"'],
      [['build', 'it'], '"build" takes no "it"'],
      [['where', '--force'], '"where" takes no --force'],
      [['build', '--fast'], "Unknown option '--fast'"],
    ]) {
      const { status, stdout, stderr } = run(args);
      assert.deepEqual([status, stdout], [2, ''], args.join(' '));
      assert.ok(stderr.startsWith(`rust-workers: ${complaint}\n\nrust-workers ${version}\n`), stderr);
      assert.match(stderr, /rust-workers build --force/);
    }
  });

  test('it says what it is', () => {
    assert.deepEqual(run(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
    assert.match(run(['--help']).stdout, /rust-workers where/);
  });

  test('where: the addon that a program here would load, or why there is none', () => {
    const { status, stdout, stderr } = run(['where'], { RUST_WORKERS_BINARY: '' });
    assert.deepEqual([status, stderr], [0, '']);
    const [, file] = stdout.split('\n');
    assert.equal(typeof require(file).constants, 'function');

    const none = run(['where'], { RUST_WORKERS_BINARY: '/there/is/none.node' });
    assert.deepEqual([none.status, none.stdout], [1, '']);
    assert.match(none.stderr, /^Could not load the addon[^]*\n {2}1\. correct RUST_WORKERS_BINARY/);
  });

  test('where: the library of pool.light, or why there is none, without which the rest works', () => {
    const library = path.join(os.tmpdir(), 'rust-workers-light-of-a-test.node');
    const none = run(['where'], { RUST_WORKERS_BINARY: '', RUST_WORKERS_LIGHT: library });
    assert.deepEqual([none.status, none.stdout.split('\n').length], [0, 3]);
    assert.match(none.stderr, /^the library of pool\.light is not there: no .*light-of-a-test\.node\. Build it with `npx rust-workers build`/);

    const { status, stdout, stderr } = run(['where'], { RUST_WORKERS_BINARY: '', RUST_WORKERS_LIGHT: __filename });
    assert.deepEqual([status, stderr], [0, '']);
    assert.deepEqual(stdout.split('\n').slice(2), [__filename, '']);
  });
});

test('no package manager finds anything to run at an install', () => {
  const { scripts } = require('../package.json');
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(scripts[name], undefined, name);
});

describe('npm is run', () => {
  const cli = '/lib/npm/bin/npm-cli.js';
  const on = (platform, env = {}) => npmCommand(['pack', '--to', 'C:\\My Files'], { env, platform });

  test('by its script where one runs this, and not by that of Yarn or pnpm', () => {
    assert.deepEqual(on('linux', { npm_execpath: cli }), {
      command: process.execPath, words: [cli, 'pack', '--to', 'C:\\My Files'], shell: false,
    });
    for (const other of ['/lib/yarn.js', '/lib/pnpm.cjs']) assert.equal(on('linux', { npm_execpath: other }).command, 'npm');
  });

  test('on Windows by a shell only where its script is not known, with blanks in quotes', { skip: hasNpmBeside }, () => {
    assert.deepEqual(on('win32'), { command: 'npm.cmd pack --to "C:\\My Files"', words: [], shell: true });
  });
});

test('the crates for tasks of one’s own are of the version of the package, and ask for that of each other', () => {
  const root = path.join(__dirname, '..');
  for (const crate of ['abi', 'task', 'task-macros']) {
    const folder = path.join(root, 'crates', crate);
    const manifest = fs.readFileSync(path.join(folder, 'Cargo.toml'), 'utf8');
    assert.equal(/^version = "(.*)"$/m.exec(manifest)[1], version, crate);
    for (const [, asked] of manifest.matchAll(/^rust-workers-.*version = "=?(.*?)"/gm)) assert.equal(asked, version, crate);
    for (const file of ['README.md', 'LICENSE']) assert.ok(fs.existsSync(path.join(folder, file)), `${crate} has no ${file}`);
    for (const key of ['description', 'license', 'repository', 'keywords', 'categories', 'rust-version']) {
      assert.match(manifest, new RegExp(`^${key} = `, 'm'), `${crate}: ${key}`);
    }
  }
  assert.ok(fs.readFileSync(path.join(root, 'docs', 'native-packs.md'), 'utf8').includes(`cargo add rust-workers-task@${version}`));
});

test('versions are compared part by part, as numbers', () => {
  assert.ok(atLeast('1.95.0', '1.95'));
  assert.ok(atLeast('1.100.0', '1.95'));
  assert.ok(atLeast('2.0.0', '1.95.3'));
  assert.ok(!atLeast('1.94.9', '1.95'));
  assert.ok(!atLeast('1.95.0', '1.95.1'));
});
