'use strict';

/** The figures of docs/light.md: each contest by each engine, `light-<contest>-<engine>`. */

const CONTESTS = {
  first: 'first result of a tenant that was never seen, on a warm pool',
  memory: 'memory of the process with 1,000 tenants',
  stop: 'from the stop until it has ended, 99th percentile: for (;;)',
  rule: 'a rule of a microsecond, 20,000 in flight',
  fibonacci: 'plain computing: fibonacci(25), recursive',
  sum: 'plain computing: a sum of a million numbers',
};
const ENGINES = {
  own: 'rust-workers, light',
  isolates: 'isolated-vm, an isolate each',
  emscripten: 'quickjs-emscripten',
  vm: 'node:vm, on the main thread',
  workers: 'a Worker each',
};
/** Plain computing, beside the same in a Worker. */
const WORK = [
  CONTESTS.fibonacci,
  CONTESTS.sum,
  'plain computing: a text of 100,000 pieces',
  'plain computing: JSON of 2,000 objects, written and read',
];
const RULE = ['light', CONTESTS.rule];
const [CALLS, MAP, PEER, PEER_IN_WORKER] = ['rust-workers, light', 'rust-workers, light.map', 'quickjs-emscripten', 'quickjs-emscripten in a Worker'];

/**
 * @param {(which: string[], name: string) => number} median
 * @param {(which: string[]) => object} contest
 * @param {(number: number) => string} round
 * @returns {[string, string][]}
 */
function lightFigures(median, contest, round) {
  const cells = Object.entries(CONTESTS).flatMap(([key, title]) =>
    Object.entries(ENGINES).map(([engine, name]) => [`light-${key}-${engine}`, round(median(['light', title], name))]),
  );
  const ratio = (own, peer) => round(median(RULE, own) / median(RULE, peer));
  const { load } = contest(RULE).measured;
  const slower = WORK.map((title) => median(['light', title], ENGINES.own) / median(['light', title], ENGINES.workers)).sort((a, b) => a - b);
  const ofMemory = contest(['light', CONTESTS.memory]).entries.find(({ name }) => name === ENGINES.own);
  return [
    ...cells,
    ['light-rule-map', round(median(RULE, MAP))],
    ['light-rule-emscripten-worker', round(median(RULE, PEER_IN_WORKER))],
    ['light-rule-ratio', ratio(CALLS, PEER)],
    ['light-rule-ratio-worker', ratio(CALLS, PEER_IN_WORKER)],
    ['light-map-ratio', ratio(MAP, PEER)],
    ['light-map-ratio-worker', ratio(MAP, PEER_IN_WORKER)],
    ['light-tenant', round(ofMemory.also['KiB a tenant'].median)],
    ['light-slower-least', round(slower[0])],
    ['light-slower-most', round(slower.at(-1))],
    ['light-load', String(load)],
  ];
}

module.exports = { lightFigures };
