'use strict';

/** One pair of a contest in a process of its own: `node child.js <bench> <index> <first,other> <options as JSON>`. */

const fs = require('node:fs');
const path = require('node:path');

const { holdPair } = require('./contest');
const { RESULT_FD } = require('./start');

async function main() {
  const [bench, index, which, options] = process.argv.slice(2);
  const { contests } = require(path.join(__dirname, '..', bench));
  const result = await holdPair(contests[Number(index)], which.split(',').map(Number), JSON.parse(options));
  fs.writeSync(RESULT_FD, JSON.stringify(result));
  // Peers may leave threads behind that would keep the process.
  process.exit(0);
}

main();
