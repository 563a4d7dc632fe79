'use strict';

/** `node program.js <name>` writes the milliseconds from before the package is loaded until the first result. */

const { firsts } = require('.');

const started = performance.now();
Promise.resolve(firsts[process.argv[2]]()).then((result) => {
  const took = performance.now() - started;
  if (result === undefined) throw new Error('there is no result');
  process.stdout.write(String(took), () => process.exit(0));
});
