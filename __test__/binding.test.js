'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const { loadBinding } = require('../lib/native/load');
const { triple } = require('../lib/native/triple');

const BUILT = path.join(__dirname, '..', `rust-workers.${triple()}.node`);
const PREBUILT = `@rust-workers/${triple()}`;

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
  assert.equal(triple(), process.platform === 'linux' ? `${start}-${libc}` : start);
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
  assert.match(failureOf({ env: {}, sharedFile, load: loaderOf({}) }).message, /the file of another copy, \/elsewhere/);
});

test('the version by which copies know each other is the package’s', () => {
  assert.equal(require('../lib/native/version').VERSION, require('../package.json').version);
});

test('the prebuilt package is taken when nothing was built', () => {
  const addon = {};
  assert.equal(loadBinding({ env: {}, load: loaderOf({ [PREBUILT]: () => addon }) }), addon);
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
  assert.match(advice, /2\. build it: npm rebuild rust-workers/);
});

test('a file that is there and does not load is named first', () => {
  const broken = () => {
    throw Object.assign(new Error(`${BUILT}: invalid ELF header`), { code: 'ERR_DLOPEN_FAILED' });
  };
  const error = failureOf({ env: {}, load: loaderOf({ [BUILT]: broken }) });
  assert.match(error.message, /invalid ELF header/);
  assert.match(error.message, /1\. a file is there and does not load: .*another platform/);
});

test('a Node.js that may not load addons is told how to', () => {
  const load = () => {
    throw Object.assign(new Error('Cannot load native addon'), { code: 'ERR_DLOPEN_DISABLED' });
  };
  assert.match(failureOf({ env: {}, load }).message, /1\. .*--no-addons.*--allow-addons$/);
});
