'use strict';

/**
 * Asks a service, from a process of its own: the CPU route as fast as it answers, and `/health` at a steady rate, whose
 * latencies are printed as JSON.
 *
 *     node load/generate.js PORT SECONDS
 */

const autocannon = require('autocannon');

/** Connections that ask for the work, each again as soon as it has its answer. */
const CONNECTIONS = 10;
/** Questions to /health a second. */
const HEALTH_RATE = 200;
const WORK = '/primes/1000000';
const WARM_UP = 1;

async function main([port, seconds]) {
  const url = (path) => `http://127.0.0.1:${port}${path}`;
  const work = (duration) => autocannon({ url: url(WORK), connections: CONNECTIONS, duration });
  await work(WARM_UP);
  const [worked, health] = await Promise.all([
    work(Number(seconds)),
    autocannon({ url: url('/health'), connections: 4, overallRate: HEALTH_RATE, duration: Number(seconds) }),
  ]);
  for (const { errors, non2xx, requests } of [worked, health]) {
    if (errors > 0 || non2xx > 0) throw new Error(`${errors} requests failed, ${non2xx} were refused`);
    if (requests.total === 0) throw new Error('no request was answered');
  }
  const { p50, p99, max } = health.latency;
  console.log(JSON.stringify({ p50, p99, max, asked: health.requests.total, rate: worked.requests.average }));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
