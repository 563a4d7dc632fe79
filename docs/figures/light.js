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
const RULE = ['light', CONTESTS.rule];
const OF_RULES = ['rust-workers, light', 'quickjs-emscripten', 'quickjs-emscripten in a Worker'];

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
  const ratios = OF_RULES.slice(1).map((peer) => median(RULE, OF_RULES[0]) / median(RULE, peer));
  const { load } = contest(RULE).measured;
  return [
    ...cells,
    ['light-rule-emscripten-worker', round(median(RULE, OF_RULES[2]))],
    ['light-rule-ratio', round(ratios[0])],
    ['light-rule-ratio-worker', round(ratios[1])],
    ['light-load', String(load)],
  ];
}

module.exports = { lightFigures };
