'use strict';

/** Where the parts of a release are put; all of it may be removed at any time. */

const path = require('node:path');

const ROOT = path.join(__dirname, '..');
const WORK = path.join(ROOT, 'target', 'npm');

module.exports = {
  ROOT,
  /** What build.js has made, or a workflow has gathered: `rust-workers.<triple>.node`, `rust-workers-light.<triple>.node`. */
  ADDONS: path.join(WORK, 'addons'),
  /** What goes into each package, before it is packed. */
  STAGE: path.join(WORK, 'stage'),
  /** The packages, to be published. */
  PACKAGES: path.join(WORK, 'packages'),
  /** Zig and cargo-zigbuild. */
  TOOLS: path.join(WORK, 'tools'),
};
