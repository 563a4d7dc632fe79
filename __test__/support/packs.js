'use strict';

/** Packs for tests: small C files, compiled when a test needs them. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

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

/**
 * Compiles a pack, to a file of its own each time.
 *
 * @param {string} source name of a file of fixtures/packs, without `.c`; or C itself
 * @param {Record<string, string | number>} [defines]
 * @returns {string} the library's path
 */
function compile(source, defines = {}) {
  let file = path.join(SOURCES, `${source}.c`);
  const number = made++;
  if (source.includes('\n')) {
    file = path.join(temporary(), `source${number}.c`);
    fs.writeFileSync(file, source);
  }
  const library = path.join(temporary(), `pack${number}.so`);
  const given = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
  const args = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', `-I${SOURCES}`, ...given, '-o', library, file, '-lpthread'];
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${compiler} ${args.join(' ')} failed:\n${stderr}`);
  return library;
}

module.exports = { compile, noCompiler, temporary };
