'use strict';

/**
 * isolated-vm is compiled for one line of Node, each of which has a version of its own: so it is no peer of package.json, but is
 * installed when a contest needs it, into a folder for this line.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const LINE = Number(process.versions.node.split('.')[0]);
/** The newest version for each line; 5 is compiled at its installation where it has no build, the others bring builds. */
const VERSION = LINE < 22 ? '5.0.4' : LINE < 24 ? '6.1.2' : '7.0.1';
const FOLDER = path.join(__dirname, '..', 'node_modules', '.isolated-vm', String(LINE));

const load = () => require(path.join(FOLDER, 'node_modules', 'isolated-vm'));

/** @returns {string | undefined} why it cannot be had */
function lacksIsolatedVm() {
  if (!fs.existsSync(path.join(FOLDER, 'node_modules', 'isolated-vm'))) {
    process.stderr.write(`bench: installing isolated-vm ${VERSION}\n`);
    fs.mkdirSync(FOLDER, { recursive: true });
    fs.writeFileSync(path.join(FOLDER, 'package.json'), '{ "private": true }\n');
    const node = path.dirname(process.execPath);
    const { status } = spawnSync(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `isolated-vm@${VERSION}`],
      // The npm that is found may be another Node's; what it builds must be for this one.
      { cwd: FOLDER, stdio: 'ignore', env: { ...process.env, PATH: `${node}${path.delimiter}${process.env.PATH}` } },
    );
    if (status !== 0) return `npm cannot install isolated-vm ${VERSION} on Node ${process.version}`;
  }
  // In a process of its own: a build for another Node may end it.
  const program = `new (require(${JSON.stringify(path.join(FOLDER, 'node_modules', 'isolated-vm'))}).Isolate)().dispose()`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  return status === 0 ? undefined : `isolated-vm ${VERSION} does not load on Node ${process.version}: ${stderr.trim().split('\n')[0]}`;
}

module.exports = { VERSION, lacksIsolatedVm, load };
