'use strict';

/** Packs and addons for tests: small C files, compiled when a test needs them. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
const SOURCES = path.join(__dirname, '..', 'fixtures', 'packs');

const compiler = process.env.CC ?? 'cc';
const asked = process.platform === 'win32' ? undefined : spawnSync(compiler, ['--version'], { encoding: 'utf8' });

/** Why tests of packs cannot run here; false where they can. */
const noCompiler = asked?.status === 0 ? false : `there is no C compiler '${compiler}', by which the packs of these tests are made`;

let folder;

/** A folder for what a test makes, which goes with the process. */
function temporary() {
  if (folder === undefined) {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rust-workers-packs-'));
    process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  }
  return folder;
}

let made = 0;

/** Compiles a file of C to a library of its own each time; its path. */
function build(file, name, flags) {
  const library = path.join(temporary(), `${made++}-${name}`);
  const args = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', ...flags, '-o', library, file, '-lpthread'];
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${compiler} ${args.join(' ')} failed:\n${stderr}`);
  return library;
}

/**
 * Compiles a pack.
 *
 * @param {string} source name of a file of fixtures/packs, without `.c`; or C itself
 * @param {Record<string, string | number>} [defines]
 * @returns {string} the library's path
 */
function compile(source, defines = {}) {
  let file = path.join(SOURCES, `${source}.c`);
  if (source.includes('\n')) {
    file = path.join(temporary(), `source${made++}.c`);
    fs.writeFileSync(file, source);
  }
  const given = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
  return build(file, 'pack.so', [`-I${SOURCES}`, ...given]);
}

/** The folder of node_api.h of this Node. */
const headers = path.resolve(process.execPath, '..', '..', 'include', 'node');

/** Why tests with addons in C cannot run here; false where they can. */
const noAddons = noCompiler || (fs.existsSync(path.join(headers, 'node_api.h')) ? false : `there is no ${headers}/node_api.h`);

/** Compiles an addon, a file of C by its path; what to `require`. */
const compileAddon = (file) => build(file, 'addon.node', [`-I${path.join(ROOT, 'include')}`, `-isystem${headers}`]);

module.exports = { compile, compileAddon, noAddons, noCompiler, temporary };
