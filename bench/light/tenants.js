'use strict';

/**
 * `node tenants.js <engine> <count>`: that many tenants, each of which has run its own rule once and stays; prints as JSON the
 * resident memory of the whole process, and of what there was before the first tenant, in MiB.
 */

const { ENGINES } = require('./engines');
const { RULE, order, rule } = require('./programs');

const MEBIBYTE = 1 << 20;
const THREADS = 2;

async function main() {
  const [engine, count] = [process.argv[2], Number(process.argv[3])];
  const { tenant: open } = await ENGINES[engine].open(THREADS);
  const first = open(RULE);
  await first.call(order(1));
  const before = process.memoryUsage().rss;
  const tenants = [first];
  for (let i = 1; i < count; i++) {
    // A source of its own for each, as tenants have.
    const tenant = open(`${RULE} /* ${i} */`);
    if ((await tenant.call(order(i))) !== rule(order(i))) throw new Error(`${engine}: a wrong result`);
    tenants.push(tenant);
  }
  globalThis.gc?.();
  const rss = process.memoryUsage().rss;
  // Each is still there.
  if ((await tenants[count - 1].call(order(4))) !== rule(order(4))) throw new Error(`${engine}: a wrong result`);
  process.stdout.write(JSON.stringify({ rss: rss / MEBIBYTE, before: before / MEBIBYTE }));
  process.exit(0);
}

main();
