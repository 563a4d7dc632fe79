'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { loadBinding } = require('../lib/native/load');
const { notFound } = require('../lib/native/not-found');
const { packageManager } = require('../lib/native/package-manager');
const { PLATFORMS, fileOf, packageOf } = require('../lib/native/platforms');
const { triple } = require('../lib/native/triple');
const { VERSION } = require('../lib/native/version');

const BUILT = path.join(__dirname, '..', fileOf(triple()));
const PREBUILT = packageOf(triple());
const MANIFEST = `${PREBUILT}/package.json`;

/** A `require` that knows only these; anything else is missing, as node says it. */
function loaderOf(known, seen = []) {
  return (target) => {
    seen.push(target);
    if (target in known) return known[target]();
    throw Object.assign(new Error(`Cannot find module '${target}'\nRequire stack:\n- a.js`), {
      code: 'MODULE_NOT_FOUND',
    });
  };
}

/** The error of a load that must fail. */
function failureOf(options) {
  try {
    loadBinding(options);
  } catch (error) {
    assert.equal(error.code, 'ERR_RW_BINDING_NOT_FOUND');
    return error;
  }
  return assert.fail('it loaded');
}

test('the triple names platform, processor and, on Linux, the C library', () => {
  const start = `${process.platform}-${process.arch}`;
  assert.ok(triple().startsWith(start));
  const report = process.report.getReport();
  const libc = report.header.glibcVersionRuntime ? 'gnu' : 'musl';
  const ends = { linux: `-${libc}`, win32: '-msvc' };
  assert.equal(triple(), `${start}${ends[process.platform] ?? ''}`);
});

test('the names of the platforms are what the triple would be there, and what npm knows them by', () => {
  for (const [name, { os, cpu, libc, target }] of Object.entries(PLATFORMS)) {
    assert.ok(name.startsWith(`${os}-${cpu}`), name);
    assert.equal(libc, { gnu: 'glibc', musl: 'musl' }[name.split('-')[2]], name);
    assert.ok(target.startsWith({ x64: 'x86_64-', arm64: 'aarch64-' }[cpu]), name);
    assert.match(packageOf(name), /^rust-workers-[a-z0-9-]+$/);
  }
});

test('the file beside package.json comes before the prebuilt package', () => {
  const addon = {};
  const seen = [];
  assert.equal(
    loadBinding({ env: {}, load: loaderOf({ [BUILT]: () => addon, [PREBUILT]: () => ({}) }, seen) }),
    addon,
  );
  assert.deepEqual(seen, [BUILT]);
});

test('the file that another copy has loaded comes first, and is no must', () => {
  const [addon, ours] = [{}, {}];
  const sharedFile = '/elsewhere/rust-workers.node';
  assert.equal(loadBinding({ env: {}, sharedFile, load: loaderOf({ [sharedFile]: () => addon, [BUILT]: () => ours }) }), addon);
  assert.equal(loadBinding({ env: {}, sharedFile, load: loaderOf({ [BUILT]: () => ours }) }), ours);
  assert.match(failureOf({ env: {}, sharedFile, load: loaderOf({}) }).message, /the addon of another copy, \/elsewhere/);
});

test('the version by which copies know each other is the package’s, and that of its sources', () => {
  assert.equal(VERSION, require('../package.json').version);
  assert.equal(VERSION, require('../package-lock.json').version);
  const [, ofSources] = /^version = "(.*)"$/m.exec(fs.readFileSync(path.join(__dirname, '..', 'Cargo.toml'), 'utf8'));
  assert.equal(VERSION, ofSources);
});

test('the prebuilt package is taken when nothing was built', () => {
  const addon = {};
  assert.equal(loadBinding({ env: {}, load: loaderOf({ [MANIFEST]: () => ({ version: VERSION }), [PREBUILT]: () => addon }) }), addon);
});

test('the prebuilt package of another version is not even loaded; the error names both versions', () => {
  const seen = [];
  const load = loaderOf({ [MANIFEST]: () => ({ version: '0.0.9' }), [PREBUILT]: () => ({}) }, seen);
  const { message, attempts } = failureOf({ env: {}, load });
  assert.ok(!seen.includes(PREBUILT));
  const { code, found, wanted } = attempts[1].error;
  assert.deepEqual([code, found, wanted], ['ERR_RW_BINDING_NOT_FOUND', '0.0.9', VERSION]);
  assert.ok(message.includes(`${PREBUILT} 0.0.9 is installed, and rust-workers ${VERSION} needs exactly ${VERSION} of it`));
  assert.match(message, /\nA package with a prebuilt addon is there, of another version: .*\nWhat to do/);
});

test('RUST_WORKERS_BINARY is the only place when it is set', () => {
  const env = { RUST_WORKERS_BINARY: 'elsewhere.node' };
  const addon = {};
  assert.equal(
    loadBinding({ env, load: loaderOf({ [path.resolve('elsewhere.node')]: () => addon }) }),
    addon,
  );

  const error = failureOf({ env, load: loaderOf({ [BUILT]: () => addon }) });
  assert.equal(error.attempts.length, 1);
  assert.match(error.message, /RUST_WORKERS_BINARY=elsewhere\.node/);
  assert.match(error.message, /1\. correct RUST_WORKERS_BINARY, or unset it/);
});

test('when nothing is there, one error lists what was tried and what to do, in order', () => {
  const error = failureOf({ env: {}, load: loaderOf({}) });
  assert.deepEqual(
    error.attempts.map(({ what }) => what),
    [BUILT, `the package ${PREBUILT}`],
  );
  assert.equal(error.cause, error.attempts[1].error);
  const [tried, advice] = error.message.split('What to do, in this order:');
  assert.ok(tried.includes(BUILT) && tried.includes(PREBUILT));
  assert.ok(!tried.includes('Require stack'), 'only the first line of each error is shown');
  assert.match(advice, /^\n {2}1\. install what the build needs: Rust .* C compiler/);
  // The tests run in a clone.
  assert.match(advice, /2\. build it: npm run build\n {2}3\. or set RUST_WORKERS_BINARY/);
});

/** The message where this package stands installed in a project with these files. */
function messageIn(t, files, env = {}) {
  const project = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-project-'));
  t.after(() => fs.rmSync(project, { recursive: true, force: true }));
  const root = path.join(project, 'node_modules', '.store', 'rust-workers@0.1.0', 'node_modules', 'rust-workers');
  fs.mkdirSync(root, { recursive: true });
  for (const file of files) fs.writeFileSync(path.join(project, file), '');
  const attempts = [BUILT, `the package ${PREBUILT}`].map((label) => ({
    label,
    error: Object.assign(new Error(`Cannot find module '${label}'`), { code: 'MODULE_NOT_FOUND' }),
  }));
  return notFound({ env, attempts, root }).message;
}

const isPrebuilt = triple() in PLATFORMS;

test('the advice names the commands of the package manager that installed it', { skip: !isPrebuilt && 'no package for it' }, (t) => {
  for (const [files, run, install] of [
    [['node_modules/.package-lock.json', 'package-lock.json'], 'npx rust-workers build', 'npm install --include=optional'],
    [['node_modules/.modules.yaml', 'pnpm-lock.yaml'], 'pnpm exec rust-workers build', 'pnpm install --force'],
    [['node_modules/.yarn-state.yml', 'yarn.lock'], 'yarn rust-workers build', 'yarn install'],
    [['.pnp.cjs', 'yarn.lock'], 'yarn rust-workers build', 'yarn install'],
    [['bun.lock'], 'bunx rust-workers build', 'bun install --force'],
    [[], 'npx rust-workers build', 'npm install --include=optional'],
  ]) {
    const message = messageIn(t, files);
    assert.ok(message.includes(`The package with the prebuilt addon, ${PREBUILT}, was not installed: `), message);
    assert.ok(message.includes(`  1. install the prebuilt addon, on the system where it is to run: ${install} (`), message);
    assert.ok(message.includes(`  2. or build it on this machine, with Rust from https://rustup.rs and a C compiler: ${run}\n`), message);
  }
});

test('without a mark of its own, the package manager that runs the process is meant', (t) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-project-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const inner = path.join(root, 'node_modules', 'rust-workers');
  assert.equal(packageManager(inner, { npm_config_user_agent: 'pnpm/10.34.8 npm/? node/v20.20.2 linux x64' }).name, 'pnpm');
  assert.equal(packageManager(inner, { npm_config_user_agent: 'toString/1' }).name, 'npm');
});

test('a file that is there and does not load is named before the steps', () => {
  const broken = () => {
    throw Object.assign(new Error(`${BUILT}: invalid ELF header`), { code: 'ERR_DLOPEN_FAILED' });
  };
  const error = failureOf({ env: {}, load: loaderOf({ [BUILT]: broken }) });
  assert.match(error.message, /invalid ELF header/);
  assert.match(error.message, /\nAn addon is there and does not load: .*another platform.*\nWhat to do, in this order:\n {2}1\. install/);
});

test('RUST_WORKERS_BINARY that Node takes for a program is told from a file that is missing', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-binary-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'librust_workers.so');
  fs.copyFileSync(BUILT, file);
  assert.match(failureOf({ env: { RUST_WORKERS_BINARY: file } }).message, /only if its name ends in "\.node"/);
  assert.doesNotMatch(failureOf({ env: { RUST_WORKERS_BINARY: `${file}.gone` } }).message, /ends in/);
});

test('a Node.js that may not load addons is told how to', () => {
  const load = () => {
    throw Object.assign(new Error('Cannot load native addon'), { code: 'ERR_DLOPEN_DISABLED' });
  };
  assert.match(failureOf({ env: {}, load }).message, /1\. .*--no-addons.*--allow-addons$/);
});
