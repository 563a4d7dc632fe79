'use strict';

/**
 * Packs what is published, into target/npm/packages: the package itself, and one for each platform whose files (the addon, and the
 * library of `pool.light`) are in target/npm/addons.
 *
 *     node npm/pack.js          what is there, at least for this platform
 *     node npm/pack.js --all    fails where a file of a platform is missing: for a release
 *
 * The manifests are written here: a clone's package.json names no packages of platforms, since of a version that is not published yet
 * there are none, and `npm ci` would look for them.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { runNpm } = require('../lib/install/npm');
const { PLATFORMS, fileOf, lightFileOf, packageOf } = require('../lib/native/platforms');
const { triple: ownTriple } = require('../lib/native/triple');
const { ADDONS, PACKAGES, ROOT, STAGE } = require('./places');

const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));

function npm(args, cwd) {
  const { status, error, stdout } = runNpm(args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ${args[0]} failed; its words are above`);
  return stdout;
}

/** What `npm pack` says about the one package that it has packed: a list of one, and from npm 12 on an object with one property. */
function packed(args, cwd) {
  return Object.values(JSON.parse(npm(['pack', '--json', '--ignore-scripts', ...args], cwd)))[0];
}

/** An empty folder for what goes into a package. */
function stage(name) {
  const folder = path.join(STAGE, name);
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

function writeManifest(folder, content) {
  fs.writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/**
 * The package itself: the files that npm would pack here, and a manifest without scripts and with the platforms' packages. Without the
 * addon of this machine: that is for who runs `npm pack` in a clone, to install the package on machines like it.
 */
function stageMain() {
  execFileSync(process.execPath, [path.join(ROOT, 'lib', 'install', 'bundle.js')], { stdio: 'inherit' });
  const { files } = packed(['--dry-run'], ROOT);
  const folder = stage(manifest.name);
  for (const { path: file } of files.filter((entry) => !entry.path.endsWith('.node'))) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(folder, file));
  }
  const { scripts, devDependencies, ...published } = manifest;
  const optionalDependencies = Object.fromEntries(Object.keys(PLATFORMS).map((triple) => [packageOf(triple), manifest.version]));
  published.files = published.files.filter((pattern) => !pattern.endsWith('.node'));
  writeManifest(folder, { ...published, optionalDependencies });
  return folder;
}

/** What is in the package of a platform. */
const filesOf = (triple) => [fileOf(triple), lightFileOf(triple)];

function stagePlatform(triple) {
  const { os, cpu, libc, glibc } = PLATFORMS[triple];
  const name = packageOf(triple);
  const folder = stage(name);
  const files = filesOf(triple);
  for (const file of files) fs.copyFileSync(path.join(ADDONS, file), path.join(folder, file));
  fs.copyFileSync(path.join(ROOT, 'LICENSE'), path.join(folder, 'LICENSE'));
  const system = glibc === undefined ? triple : `${triple} (glibc ${glibc} or later)`;
  fs.writeFileSync(
    path.join(folder, 'README.md'),
    `# ${name}\n\nThe native addon of [rust-workers](https://www.npmjs.com/package/rust-workers), and the library of its light JavaScript, for\n` +
      `${system}. Install \`rust-workers\`, which takes the package that fits the platform.\n`,
  );
  const { version, license, author, homepage, bugs, repository, engines } = manifest;
  writeManifest(folder, {
    name,
    version,
    description: `The native addon of rust-workers for ${triple}`,
    license,
    author,
    homepage,
    bugs,
    repository,
    type: 'commonjs',
    main: fileOf(triple),
    files,
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    // An addon is loaded from a file, not from Yarn's archive.
    preferUnplugged: true,
  });
  return folder;
}

function main() {
  const isRelease = process.argv.includes('--all');
  const triples = Object.keys(PLATFORMS);
  const missing = triples.filter((triple) => !filesOf(triple).every((file) => fs.existsSync(path.join(ADDONS, file))));
  if (isRelease ? missing.length > 0 : missing.includes(ownTriple())) {
    process.stderr.write(
      `rust-workers: ${ADDONS} has not both files for ${missing.join(', ')}: node npm/build.js builds one platform's (npm/README.md)\n`,
    );
    process.exitCode = 1;
    return;
  }
  fs.rmSync(STAGE, { recursive: true, force: true });
  fs.rmSync(PACKAGES, { recursive: true, force: true });
  fs.mkdirSync(PACKAGES, { recursive: true });
  // The platforms first: the order in which they are published.
  const folders = [...triples.filter((triple) => !missing.includes(triple)).map(stagePlatform), stageMain()];
  for (const folder of folders) {
    const { filename } = packed(['--pack-destination', PACKAGES], folder);
    process.stdout.write(`${path.join(PACKAGES, filename)}\n`);
  }
}

main();
