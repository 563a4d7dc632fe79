'use strict';

// The plot of the measurement: each way's figure is in it, inside of the picture, whatever the figures are.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { drawHealth } = require('../load/draw');

const spread = (least, median, most) => ({ least, median, most });
const results = (ways) => ({ date: '2026-11-26', machine: 'a <machine> & more', rounds: 3, seconds: 2, ways });

for (const scale of [0, 1, 1000]) {
  test(`figures up to ${9 * scale} ms`, () => {
    const ways = [
      { way: 'inline', p99: spread(3 * scale, 4 * scale, 9 * scale) },
      { way: 'script', p99: spread(scale, 2 * scale, 2 * scale) },
    ];
    const svg = drawHealth(results(ways));
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg).map(Number);
    const numbers = (names) => [...svg.matchAll(new RegExp(` (?:${names})="([^"]*)"`, 'g'))].map(([, number]) => number).filter((n) => n !== '100%').map(Number);
    for (const x of numbers('x|x1|x2|width')) assert.ok(x >= 0 && x <= width, `${x} is outside of the picture`);
    for (const y of numbers('y|y1|y2|height')) assert.ok(y >= 0 && y <= height, `${y} is outside of the picture`);
    const [long, short] = [...svg.matchAll(/<rect class="(?:ours|other)" x="96" y="[\d.]+" width="([\d.]+)"/g)].map(([, w]) => Number(w));
    if (scale > 0) assert.ok(Math.abs(long / short - 2) < 0.01, 'bars are as long as the figures are large');
    for (const { p99 } of ways) assert.ok(svg.includes(`>${p99.median} ms</text>`));
    assert.ok(!svg.includes('<machine>'), 'texts are escaped');
  });
}
