'use strict';

/** One contest in a process of its own: `node child.js <bench> <index> [--quick]`. */

const fs = require('node:fs');
const path = require('node:path');

const { hold } = require('./contest');
const { RESULT_FD } = require('./start');

async function main() {
  const [bench, index] = process.argv.slice(2);
  const { contests } = require(path.join(__dirname, '..', bench));
  const result = await hold(contests[Number(index)], { quick: process.argv.includes('--quick') });
  fs.writeSync(RESULT_FD, JSON.stringify(result));
  // Peers may leave threads behind that would keep the process.
  process.exit(0);
}

main();
