'use strict';

/**
 * Builds the addon of one platform, and the library of `pool.light`, for its package, into target/npm/addons:
 *
 *     node npm/build.js linux-x64-gnu
 *
 * For Linux it compiles C and links with Zig, which can link against an old glibc: what gcc links needs a glibc as new as that of
 * the build machine. For macOS and Windows it must run there.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ADDON, LIGHT } = require('../lib/install/paths');
const { PLATFORMS, fileOf, lightFileOf } = require('../lib/native/platforms');
const { faultsOf } = require('./check-addon');
const { ADDONS, ROOT, TOOLS } = require('./places');

/** From PyPI, where Zig is a package. The versions that were tried. */
const ZIG_PACKAGES = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1'];

/** An end that a person can do something about: printed without a stack. */
class ReleaseError extends Error {}

function run(command, args, options = {}) {
  const { status, signal, error, stdout } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
    ...options,
  });
  if (error) throw new ReleaseError(`${command} could not be run: ${error.message}`);
  if (status !== 0) throw new ReleaseError(`${command} ${args.join(' ')} failed (${signal ?? `exit code ${status}`})`);
  return stdout;
}

/** Zig and cargo-zigbuild, installed once: the variables with which cargo-zigbuild finds Zig. */
function zig() {
  const installed = path.join(TOOLS, 'installed');
  const wanted = ZIG_PACKAGES.join('\n');
  if (!fs.existsSync(installed) || fs.readFileSync(installed, 'utf8') !== wanted) {
    fs.rmSync(TOOLS, { recursive: true, force: true });
    const python = process.platform === 'win32' ? 'python' : 'python3';
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--target', TOOLS, ...ZIG_PACKAGES]);
    fs.writeFileSync(installed, wanted);
  }
  return {
    PATH: `${path.join(TOOLS, 'bin')}${path.delimiter}${process.env.PATH}`,
    CARGO_ZIGBUILD_ZIG_PATH: path.join(TOOLS, 'ziglang', 'zig'),
  };
}

/** The cdylib of a product, by cargo's own messages. */
function libraryOf(messages, { library }) {
  const files = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name === library && target.kind.includes('cdylib'))
    .flatMap(({ filenames }) => filenames);
  return files.find((file) => /\.(?:so|dylib|dll)$/.test(file));
}

/** @returns {string} the path of the library that cargo has made */
function compile(product, { os, target, glibc }) {
  const args = ['--release', '--package', product.crate, '--lib', '--locked', '--message-format=json-render-diagnostics'];
  if (os !== 'linux') return libraryOf(run('cargo', ['build', ...args, '--target', target]), product);
  const env = { ...process.env, ...zig() };
  const full = glibc === undefined ? target : `${target}.${glibc}`;
  return libraryOf(run('cargo', ['zigbuild', ...args, '--target', full], { env }), product);
}

/** Builds one of the two, checks what it asks of a system, and puts it where pack.js looks. */
function make(product, triple, name) {
  const platform = PLATFORMS[triple];
  const library = compile(product, platform);
  const faults = faultsOf(library, platform, { isAddon: product === ADDON });
  if (faults.length > 0) throw new ReleaseError(`${library} does not fit every ${triple}:\n  - ${faults.join('\n  - ')}`);
  fs.mkdirSync(ADDONS, { recursive: true });
  const file = path.join(ADDONS, name);
  fs.copyFileSync(library, file);
  process.stdout.write(`${file}\n`);
}

function build(triple) {
  if (!Object.hasOwn(PLATFORMS, triple ?? '')) {
    throw new ReleaseError(`name a platform: node npm/build.js ${Object.keys(PLATFORMS).join(' | ')}`);
  }
  make(ADDON, triple, fileOf(triple));
  make(LIGHT, triple, lightFileOf(triple));
}

try {
  build(process.argv[2]);
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error;
  process.stderr.write(`rust-workers: ${error.message}\n`);
  process.exitCode = 1;
}
