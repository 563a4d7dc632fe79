'use strict';

/**
 * Puts the package into a project's node_modules, as it is after an installation: `node install.js <project>`. The files of a
 * clone would find no bullmq, which is the project's.
 */

const fs = require('node:fs');
const path = require('node:path');

const CLONE = path.join(__dirname, '..', '..', '..');
const PARTS = ['index.js', 'index.d.ts', 'package.json', 'lib'];

function install(project) {
  const target = path.join(project, 'node_modules', 'rust-workers');
  fs.rmSync(target, { recursive: true, force: true });
  const addons = fs.readdirSync(CLONE).filter((name) => name.endsWith('.node'));
  for (const part of [...PARTS, ...addons]) fs.cpSync(path.join(CLONE, part), path.join(target, part), { recursive: true });
}

install(path.resolve(process.argv[2]));
