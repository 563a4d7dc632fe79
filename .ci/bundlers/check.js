'use strict';

/**
 * Bundles the service of __test__/bundlers with each bundler and runs it: with rust-workers marked external it works; bundled in,
 * it is refused when it is loaded, with the setting of that bundler.
 *
 * Run: node .ci/bundlers/check.js. Versions stand in __test__/bundlers/package.json.
 */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { ROOT, execute, inTurns, installed, project, run } = require('../projects');

const FOLDER = path.join(ROOT, '__test__', 'bundlers');
const LIMIT = 120_000;

/** What the service prints. */
const RESULTS = {
  digest: createHash('sha256').update('page 1').digest('hex'),
  sums: [3, 7],
  refused: true,
  page: '<p>page 7</p>',
  thrown: 'RangeError: on purpose',
  done: 'done',
  total: 2000,
  parties: 3,
  peer: true,
};

/** The setting that the error names, by the bundler's first word. */
const SETTINGS = {
  esbuild: '--external:rust-workers',
  webpack: "externals: { 'rust-workers': 'node-commonjs rust-workers' }",
  rollup: 'external: [/^rust-workers/]',
  vite: "ssr: { external: ['rust-workers'] }",
};

const HOW = ['external', 'inlined'];

const outOf = (folder, name, how) => path.join(folder, 'out', how, name.replace(/\W+/g, '-'));

async function build(folder, name, how) {
  const args = ['build.mjs', name, how, outOf(folder, name, how)];
  const { status, output } = await execute(process.execPath, args, { cwd: folder, limit: LIMIT });
  assert.equal(status, 0, `${name}, ${how}: the build failed:\n${output}`);
}

async function check(folder, name) {
  const runOf = (how) => execute(process.execPath, [path.join(outOf(folder, name, how), 'main.mjs')], { cwd: folder, limit: LIMIT });
  const external = await runOf('external');
  assert.equal(external.status, 0, `${name}, external: ${external.output}`);
  assert.deepEqual(JSON.parse(external.output), RESULTS, `${name}, external`);
  const inlined = await runOf('inlined');
  assert.equal(inlined.status, 1, `${name}, bundled in: ${inlined.output}`);
  for (const text of ['[BindingNotFoundError]: rust-workers was bundled into this program', SETTINGS[name.split(' ')[0]]]) {
    assert.ok(inlined.output.includes(text), `${name}, bundled in: "${text}" is missing in:\n${inlined.output}`);
  }
  console.log(`${name}: external works; bundled in is refused`);
}

async function main() {
  const folder = project('bundlers', { from: FOLDER, packages: installed(path.join(FOLDER, 'package.json')) });
  const names = JSON.parse(run(process.execPath, ['build.mjs'], { cwd: folder }));
  const failures = [];
  const failed = (error) => failures.push(error);
  await inTurns(names, 2, async (name) => {
    for (const how of HOW) await build(folder, name, how).catch(failed);
  });
  // What was built must not need its sources.
  fs.rmSync(path.join(folder, 'service'), { recursive: true });
  await inTurns(names, 2, (name) => check(folder, name).catch(failed));
  for (const { message } of failures) console.error(message.slice(0, 2000));
  if (failures.length > 0) process.exitCode = 1;
}

main();
