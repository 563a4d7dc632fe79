'use strict';

/** Follows the walks of the pages (__test__/docs/support/walks.js) with the packages that `.ci/packs/run` has packed. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { isPrinted } = require('../../__test__/docs/support/programs');
const { allWalks } = require('../../__test__/docs/support/walks');
const { PLATFORMS, packageOf } = require('../../lib/native/platforms');
const { triple } = require('../../lib/native/triple');
const { PACKAGES } = require('../../npm/places');
const { version } = require('../../package.json');
const { run: runCommand } = require('../install/machine');
const { startRegistry } = require('../install/registry');

/** For one command, a compilation of all that a crate depends on among them. */
const TIME_LIMIT = 600_000;

const UPSTREAM = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();

const newest = (process.env.RW_NODES ?? '').split(path.delimiter).filter(Boolean).at(-1);

/** Runs a line in bash. Its folder at the end is where the next begins. */
async function type(command, { cwd, env }) {
  const whereabouts = path.join(env.RW_WALK, 'cwd');
  const line = `${command}\npwd > "$RW_WALK/cwd"`;
  const end = await runCommand('bash', ['-euo', 'pipefail', '-c', line], { cwd, env, timeout: TIME_LIMIT });
  return { ...end, cwd: end.code === 0 ? fs.readFileSync(whereabouts, 'utf8').trim() : cwd };
}

const linesOf = (text) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** The file that a command gives to node, if it does. */
const programOf = (command) => /^node (?:--\S+ )*([\w./-]+\.[cm]?js)\b/.exec(command)?.[1];

describe('a page is followed', () => {
  let registry;
  let place;
  before(async () => {
    registry = await startRegistry({ upstream: UPSTREAM });
    place = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-walks-'));
    // To publish, npm asks for some token.
    const npmrc = path.join(place, 'npmrc');
    fs.writeFileSync(npmrc, `registry=${registry.url}\n//${new URL(registry.url).host}/:_authToken=any\n`);
    for (const name of [packageOf(triple()), 'rust-workers']) {
      const tarball = path.join(PACKAGES, `${name}-${version}.tgz`);
      const { code, stderr } = await runCommand('npm', ['publish', '--userconfig', npmrc, tarball], {});
      assert.equal(code, 0, `npm publish of ${name}: ${stderr}`);
    }
    assert.ok(Object.hasOwn(PLATFORMS, triple()));
  });
  after(async () => {
    await registry.close();
    if (!process.env.RW_KEEP_PROJECTS) fs.rmSync(place, { recursive: true, force: true });
    else console.log(`kept: ${place}`);
  });

  function environment() {
    const folder = fs.mkdtempSync(path.join(place, 'walk-'));
    const cwd = path.join(folder, 'project');
    fs.mkdirSync(cwd);
    fs.writeFileSync(path.join(cwd, 'package.json'), '{ "name": "app", "private": true }\n');
    const { RUST_WORKERS_BINARY, CARGO_TARGET_DIR, NODE_OPTIONS, NODE_TEST_CONTEXT, ...inherited } = process.env;
    const env = {
      ...inherited, RW_WALK: folder, NO_COLOR: '1', CARGO_TERM_COLOR: 'never', npm_config_update_notifier: 'false',
      npm_config_userconfig: path.join(place, 'npmrc'), npm_config_audit: 'false', npm_config_fund: 'false',
      PATH: `${path.dirname(process.execPath)}${path.delimiter}${inherited.PATH}`,
    };
    return { cwd, env };
  }

  for (const { title, steps } of allWalks().filter((walk) => walk.title.includes(process.env.RW_WALKS ?? ''))) {
    test(title, async () => {
      const { cwd: project, env } = environment();
      let cwd = project;
      let last;
      const prints = new Map();
      /** The programs, to be run again under the newest Node.js. */
      const programs = [];

      const run = async (step, options) => {
        const end = await type(step.command, options);
        assert.equal(end.code, 0, `${step.where}: ${step.command}\n${end.stdout}${end.stderr}`);
        const program = programOf(step.command);
        const expected = program && prints.get(path.join(options.cwd, program));
        if (expected !== undefined) {
          const lines = linesOf(end.stdout);
          if (!isPrinted(expected, lines)) assert.deepEqual(lines, expected, `${step.where}: ${step.command}`);
          assert.equal(end.stderr, '', `${step.where}: ${step.command}`);
        }
        return end;
      };

      for (const step of steps) {
        if (step.file !== undefined) {
          const file = path.join(cwd, step.file);
          fs.mkdirSync(path.dirname(file), { recursive: true });
          fs.writeFileSync(file, step.text);
          prints.set(file, step.prints);
        } else if (step.printed !== undefined) {
          if (!isPrinted(step.printed, linesOf(last.stdout))) assert.deepEqual(linesOf(last.stdout), step.printed, step.where);
        } else {
          last = await run(step, { cwd, env });
          if (programOf(step.command) !== undefined) programs.push([step, cwd]);
          cwd = last.cwd;
        }
      }
      assert.ok(programs.length > 0, 'the walk runs a program');
      if (newest === undefined) return;
      const newer = { ...env, PATH: `${path.dirname(newest)}${path.delimiter}${env.PATH}` };
      assert.notEqual((await type('node --version', { cwd, env: newer })).stdout.trim(), process.version);
      for (const [step, folder] of programs) await run(step, { cwd: folder, env: newer });
    });
  }
});
