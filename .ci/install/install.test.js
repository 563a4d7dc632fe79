'use strict';

/**
 * The packages as strangers get them: published to a registry, installed by name with each package manager, on a machine with
 * neither Rust nor a C compiler. Run by `.ci/install/run`, which packs them.
 */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { requiredRust } = require('../../lib/install/toolchain');
const { PLATFORMS, packageOf, fileOf, lightFileOf } = require('../../lib/native/platforms');
const { triple } = require('../../lib/native/triple');
const { faultsOf } = require('../../npm/check-addon');
const { ADDONS, PACKAGES, ROOT } = require('../../npm/places');
const { find, makeMachine } = require('./machine');
const { MANAGERS, getManagers, putOn } = require('./managers');
const { FILES, PROGRAMS, TYPESCRIPT } = require('./programs');
const { startRegistry } = require('./registry');

const { version } = require('../../package.json');
const PREBUILT = packageOf(triple());
const WORKS = { code: 0, stdout: 'works\n', stderr: '' };

const npm = MANAGERS.find(({ name }) => name === 'npm-11');

const nodes = (process.env.RW_NODES ?? '').split(path.delimiter).filter(Boolean);
const majorOf = (node) => Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }));

let registry;
before(async () => {
  getManagers();
  registry = await startRegistry();
  const machine = makeMachine({ registry: registry.url });
  try {
    await publishAll(machine);
  } finally {
    machine.remove();
  }
});
after(() => registry.close());

/** A package of a platform with nothing of use in it: what is not built here, and versions that never were. */
function standIn(folder, name, manifest) {
  const place = path.join(folder, `${name}-${manifest.version}`);
  fs.mkdirSync(place);
  fs.writeFileSync(path.join(place, 'package.json'), JSON.stringify({ name, ...manifest }));
  fs.writeFileSync(path.join(place, 'addon.node'), 'not an addon');
  return place;
}

/** Publishes as the release workflow does, with stand-ins for what is not built here. */
async function publishAll(machine) {
  putOn(machine.env.PATH, npm);
  const folder = machine.project();
  for (const file of fs.readdirSync(PACKAGES)) fs.copyFileSync(path.join(PACKAGES, file), path.join(folder, file));
  const standIns = [];
  for (const [name, { os, cpu, libc }] of Object.entries(PLATFORMS)) {
    if (fs.existsSync(path.join(folder, `${packageOf(name)}-${version}.tgz`))) continue;
    const manifest = { version, main: 'addon.node', os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) };
    standIns.push(standIn(folder, packageOf(name), manifest));
  }
  await succeed(machine, folder, `npm pack --silent ${standIns.join(' ')}`);
  const publish = `node ${path.join(ROOT, 'npm', 'publish.js')} --from ${folder}`;
  await succeed(machine, folder, `${publish} --access public`);
  assert.equal([...registry.packages.keys()].at(-1), 'rust-workers', 'the platforms come first');
  const again = await succeed(machine, folder, publish);
  assert.equal(again.stdout.match(/is published already$/gm).length, Object.keys(PLATFORMS).length + 1);

  await succeed(machine, folder, `npm publish --tag old ${standIn(folder, PREBUILT, { version: '0.0.9', main: 'addon.node' })}`);
}

/** A machine with one package manager, for one test. */
function machineFor(t, manager, options = {}) {
  const machine = makeMachine({ registry: registry.url, ...options });
  t.after(() => machine.remove());
  putOn(machine.env.PATH, manager);
  return machine;
}

/** A command line as a person types it. */
async function type(machine, cwd, line, more) {
  return machine.run('/bin/sh', ['-c', line], { cwd, more });
}

async function succeed(machine, cwd, line, more) {
  const end = await type(machine, cwd, line, more);
  assert.equal(end.code, 0, `${line}\n${end.stdout}\n${end.stderr}`);
  return end;
}

const PROJECT = { 'package.json': '{ "name": "app", "version": "1.0.0", "private": true }\n', ...FILES };

const newProject = (machine, manager, files = {}) => machine.project({ ...PROJECT, ...manager.files, ...files });

async function runPrograms(machine, project, { node }, programs = PROGRAMS) {
  for (const program of programs) {
    assert.deepEqual(await type(machine, project, `${node} ${program}`), WORKS, program);
  }
}

/** The steps of an error's advice, without their numbers. */
const stepsIn = (stderr) => Array.from(stderr.matchAll(/^ {2}\d\. (.*)$/gm), ([, step]) => step);

test('what is published: no script, exact versions of all platforms, all files that README names', () => {
  const main = registry.packages.get('rust-workers').versions[version];
  // npm's own record of a script at install, by which package managers refuse or warn.
  assert.equal(main.hasInstallScript, undefined);
  assert.deepEqual(main.scripts ?? {}, {});
  assert.deepEqual(main.optionalDependencies, Object.fromEntries(Object.keys(PLATFORMS).map((name) => [packageOf(name), version])));
  assert.deepEqual(main.dependencies ?? {}, {});
  const { os, cpu, libc } = registry.packages.get(PREBUILT).versions[version];
  assert.deepEqual([os, cpu, libc], [[process.platform], [process.arch], ['glibc']]);
  const list = execFileSync('tar', ['tzf', path.join(PACKAGES, `rust-workers-${version}.tgz`)], { encoding: 'utf8' }).split('\n');
  for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md', 'DESIGN.md', 'Cargo.lock', 'build.rs', 'lib/bundle/index.js']) {
    assert.ok(list.includes(`package/${file}`), file);
  }
});

test('what is published is in git, but for the bundle: nothing that a build, an editor or a copied template has left behind', () => {
  const inGit = new Set(execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n'));
  const published = execFileSync('tar', ['tzf', path.join(PACKAGES, `rust-workers-${version}.tgz`)], { encoding: 'utf8' })
    .split('\n')
    .map((entry) => entry.replace(/^package\//, ''))
    .filter((file) => file !== '' && !file.startsWith('lib/bundle/'));
  assert.ok(published.length > 500);
  assert.deepEqual(published.filter((file) => !inGit.has(file)), []);
  // What a build from source, and packs of one's own, are made of: the sources of every crate, and not their tests.
  const crates = [...inGit].filter((file) => /^(?:crates|packs)\/[^/]+\/(?:src\/|Cargo\.toml$|build\.rs$)|^include\//.test(file));
  assert.ok(crates.length >= 3);
  assert.deepEqual(crates.filter((file) => !published.includes(file)), []);
});

test('the addon needs no glibc newer than its row says, and the check would find one', () => {
  const addon = path.join(ADDONS, fileOf(triple()));
  assert.deepEqual(faultsOf(addon, PLATFORMS[triple()]), []);
  assert.match(faultsOf(addon, { ...PLATFORMS[triple()], glibc: '2.3' }).join(), /it needs glibc 2\.17, newer than 2\.3/);
  assert.match(faultsOf(addon, PLATFORMS['linux-arm64-musl']).join(), /not for arm64,it needs libc\.so\.6.*it needs glibc/);
});

test('nor does the library of pool.light, which stands beside it in its package', () => {
  const library = path.join(ADDONS, lightFileOf(triple()));
  assert.deepEqual(faultsOf(library, PLATFORMS[triple()], { isAddon: false }), []);
  assert.match(faultsOf(library, { ...PLATFORMS[triple()], glibc: '2.3' }, { isAddon: false }).join(), /newer than 2\.3/);
  const list = execFileSync('tar', ['tzf', path.join(PACKAGES, `${PREBUILT}-${version}.tgz`)], { encoding: 'utf8' }).split('\n');
  for (const file of [fileOf(triple()), lightFileOf(triple()), 'LICENSE']) assert.ok(list.includes(`package/${file}`), file);
});

test('an addon for Windows that needs the C library of Visual C++ is found', (t) => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-dll-')), 'some.node');
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
  fs.writeFileSync(file, Buffer.from('MZ\0KERNEL32.dll\0bcryptprimitives.dll\0', 'latin1'));
  assert.deepEqual(faultsOf(file, PLATFORMS['win32-x64-msvc']), []);
  fs.appendFileSync(file, 'VCRUNTIME140.dll\0VCRUNTIME140_1.dll\0');
  assert.match(faultsOf(file, PLATFORMS['win32-x64-msvc']).join(), /it needs VCRUNTIME140\.dll,.*it needs VCRUNTIME140_1\.dll,/);
});

test('the workflow of a release knows all platforms', () => {
  const text = fs.readFileSync(path.join(ROOT, '.github', 'workflows', 'release.yml'), 'utf8');
  const [build, test] = text.split('\n  test:\n');
  for (const job of [build, test]) {
    const named = Array.from(job.matchAll(/\{ platform: ([\w-]+),/g), ([, name]) => name);
    assert.deepEqual(named, Object.keys(PLATFORMS));
  }
  assert.deepEqual(/ platform: \[(.*)\]/.exec(test)[1].split(', '), Object.keys(PLATFORMS));
});

test('a clone has scripts for the shell on Windows too, where git may change the ends of lines', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-clone-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  execFileSync('git', ['clone', '--quiet', '--depth=1', '--config', 'core.autocrlf=true', `file://${ROOT}`, folder]);
  assert.doesNotMatch(fs.readFileSync(path.join(folder, 'npm', 'test'), 'utf8'), /\r/);
});

test('a clone is not published', async (t) => {
  const machine = machineFor(t, npm);
  const end = await type(machine, ROOT, 'npm publish --dry-run');
  assert.equal(end.code, 1);
  assert.match(end.stderr, /a clone is not published\. npm run pack:all makes the packages/);
});

test('the machine has no compiler', async (t) => {
  const machine = makeMachine({ registry: registry.url });
  t.after(() => machine.remove());
  for (const command of ['cargo', 'rustc', 'cc', 'gcc', 'clang', 'python3', 'make']) {
    await assert.rejects(machine.run(command, ['--version'], { cwd: machine.folder }), { code: 'ENOENT' });
  }
});

for (const manager of MANAGERS) {
  const node = manager.oldestNode === undefined ? undefined : nodes.find((it) => majorOf(it) >= manager.oldestNode);
  const skip = manager.oldestNode !== undefined && node === undefined && `RW_NODES names no Node.js ${manager.oldestNode} or newer`;

  describe(manager.name, { skip }, () => {
    test('installs it by name, and from the lockfile; programs run, and nothing warns', async (t) => {
      const machine = machineFor(t, manager, { node });
      const project = newProject(machine, manager);
      const added = await succeed(machine, project, manager.add);
      assert.ok(manager.isQuiet(added), `${added.stdout}\n${added.stderr}`);
      await runPrograms(machine, project, manager);
      const where = await succeed(machine, project, `${manager.run} where`);
      for (const file of [fileOf, lightFileOf]) {
        assert.match(where.stdout, new RegExp(`${PREBUILT}.*${file(triple()).replaceAll('.', '\\.')}\\n`));
      }

      fs.rmSync(path.join(project, 'node_modules'), { recursive: true, force: true });
      await succeed(machine, project, manager.again);
      await runPrograms(machine, project, manager);
    });

    test('without optional dependencies the error names commands of this manager, and these help', async (t) => {
      const machine = machineFor(t, manager, { node });
      const project = newProject(machine, manager);
      const isYarn = manager.omit === undefined;
      const yarnrc = path.join(project, '.yarnrc.yml');
      if (isYarn) fs.appendFileSync(yarnrc, 'supportedArchitectures: { os: [darwin], cpu: [arm64] }\n');
      await succeed(machine, project, manager.add);
      if (!isYarn) {
        fs.rmSync(path.join(project, 'node_modules'), { recursive: true });
        await succeed(machine, project, manager.omit);
      }
      const end = await type(machine, project, `${manager.node} program.cjs`);
      assert.equal(end.code, 1);
      const finding = isYarn ? /installed for darwin-arm64: node_modules was copied/ : /was not installed: .*optional.*, or a lockfile/;
      assert.match(end.stderr, finding);
      const [install, build] = stepsIn(end.stderr);
      const [, installLine] = /^install the prebuilt addon, .*?: (.*?) \(/.exec(install);
      const [, buildLine] = /^or build it on this machine, .*?: (.*)$/.exec(build);
      assert.equal(buildLine, `${manager.run} build`);

      const failed = await type(machine, project, buildLine);
      assert.equal(failed.code, 1);
      assert.ok(failed.stderr.includes(`cargo was not found: install Rust ${requiredRust()}`), failed.stderr);

      if (isYarn) fs.writeFileSync(yarnrc, manager.files['.yarnrc.yml']);
      await succeed(machine, project, installLine);
      await runPrograms(machine, project, manager);
    });
  });
}

/** The files under a folder, with what is in them. */
function contentsOf(folder) {
  const files = fs.readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  const hash = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  return new Map(files.map(({ parentPath, path: older, name }) => path.join(parentPath ?? older, name)).map((file) => [file, hash(file)]));
}

test('a package of another version is not loaded: the error names both, and what to do', async (t) => {
  const machine = machineFor(t, npm);
  const project = newProject(machine, npm, {
    'package.json': JSON.stringify({ name: 'app', private: true, overrides: { [PREBUILT]: '0.0.9' } }),
  });
  await succeed(machine, project, npm.add);
  const end = await type(machine, project, 'node program.cjs');
  assert.equal(end.code, 1);
  assert.match(end.stderr, new RegExp(`${PREBUILT} 0\\.0\\.9 is installed, and rust-workers ${version} needs exactly ${version} of it`));
  assert.match(end.stderr, /of another version: a lockfile or an override names it/);
  assert.match(stepsIn(end.stderr)[0], /^install the prebuilt addon, .*: npm install --include=optional/);
});

test('node_modules of another system: the error says of which', async (t) => {
  const machine = machineFor(t, npm);
  const project = newProject(machine, npm);
  await succeed(machine, project, `${npm.add} --os=darwin --cpu=arm64`);
  const end = await type(machine, project, 'node program.mjs');
  assert.equal(end.code, 1);
  assert.match(end.stderr, /The packages were installed for darwin-arm64: node_modules was copied/);
});

test('from the two files, with no registry in reach', async (t) => {
  const machine = machineFor(t, npm);
  const project = newProject(machine, npm);
  const files = [PREBUILT, 'rust-workers'].map((name) => path.join(PACKAGES, `${name}-${version}.tgz`)).join(' ');
  const nowhere = { npm_config_registry: 'http://127.0.0.1:1/' };
  const end = await succeed(machine, project, `npm install --offline --ignore-scripts ${files}`, nowhere);
  assert.equal(end.stderr, '');
  await runPrograms(machine, project, npm);
});

test('on each line of Node.js', { skip: nodes.length === 0 && 'RW_NODES names none' }, async (t) => {
  const machine = machineFor(t, npm);
  const project = newProject(machine, npm);
  await succeed(machine, project, npm.add);
  for (const node of nodes) {
    for (const program of PROGRAMS) {
      assert.deepEqual(await machine.run(node, [program], { cwd: project }), WORKS, `${node} ${program}`);
    }
  }
});

test('TypeScript, strict and with the package’s own types checked', async (t) => {
  const machine = machineFor(t, npm);
  const project = newProject(machine, npm, TYPESCRIPT);
  await succeed(machine, project, npm.add);
  // The user's tools, as the repository has them.
  fs.mkdirSync(path.join(project, 'node_modules', '@types'), { recursive: true });
  for (const tool of ['@types/node', 'undici-types']) {
    fs.symlinkSync(path.join(ROOT, 'node_modules', tool), path.join(project, 'node_modules', tool));
  }
  const tsc = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const compiled = await machine.run('node', [tsc], { cwd: project });
  assert.deepEqual(compiled, { code: 0, stdout: '', stderr: '' });
  for (const program of ['typed.mjs', 'typed.cjs']) {
    assert.deepEqual(await type(machine, project, `node ${program}`), WORKS, program);
  }
});

test('rust-workers build, under pnpm, with a Rust workspace of the program’s own around it', async (t) => {
  const pnpm = MANAGERS.find(({ name }) => name === 'pnpm-10');
  const machine = machineFor(t, pnpm);
  const project = newProject(machine, pnpm, { 'Cargo.toml': '[workspace]\nmembers = []\nresolver = "3"\n' });
  await succeed(machine, project, `${pnpm.add} --no-optional`);
  const store = (await succeed(machine, project, 'pnpm store path')).stdout.trim();
  const stored = contentsOf(store);
  assert.ok(stored.size > 100);
  assert.equal((await type(machine, project, 'node program.cjs')).code, 1);

  // Cargo's home and rustup's are the user's; crates that were compiled before are the same.
  const home = process.env.HOME;
  const toolchain = {
    PATH: [machine.env.PATH, path.dirname(find('cargo')), path.dirname(find('cc'))].join(path.delimiter),
    CARGO_HOME: process.env.CARGO_HOME ?? path.join(home, '.cargo'),
    RUSTUP_HOME: process.env.RUSTUP_HOME ?? path.join(home, '.rustup'),
    CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'),
  };
  // The C of QuickJS does not compile (that of blake3, for the addon, does): that costs pool.light alone, and it is said.
  const without = await succeed(machine, project, `${pnpm.run} build`, { ...toolchain, CFLAGS: '-DJSContext=1' });
  assert.match(without.stderr, new RegExp(`built ${fileOf(triple()).replaceAll('.', '\\.')}`));
  assert.match(without.stderr, /cargo build failed[^]*the library of pool\.light was not built\. All but pool\.light works without it/);
  await runPrograms(machine, project, pnpm, PROGRAMS.filter((program) => program !== 'light.cjs'));
  const light = await type(machine, project, 'node light.cjs');
  assert.equal(light.code, 1);
  assert.match(light.stderr, /the library of pool\.light is not there: .*Build it with `npx rust-workers build`/);
  const built = await succeed(machine, project, `${pnpm.run} build`, toolchain);
  assert.match(built.stderr, new RegExp(`built ${lightFileOf(triple()).replaceAll('.', '\\.')}`));
  assert.doesNotMatch(built.stderr, new RegExp(`built ${fileOf(triple()).replaceAll('.', '\\.')}`));
  await runPrograms(machine, project, pnpm);
  const where = await succeed(machine, project, `${pnpm.run} where`);
  assert.match(where.stdout, new RegExp(`/node_modules/rust-workers/${fileOf(triple()).replaceAll('.', '\\.')}\\n`));
  // The files of the store are those of the project, under two names.
  assert.deepEqual(contentsOf(store), stored);

  const again = await succeed(machine, project, `${pnpm.run} build`, toolchain);
  assert.match(again.stderr, /nothing to build: .* fits/);
});
