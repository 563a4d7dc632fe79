'use strict';

/** Draws the p99 of `/health` for each way: a bar for the median, a line for the range of the rounds. Light and dark. */

const WIDTH = 720;
const LEFT = 96;
const RIGHT = 72;
const TOP = 64;
const ROW = 44;
const BAR = 22;

const STYLE = `
  .page { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0 }
  .ours { fill: #c2410c } .other { fill: #8c959f } .range { stroke: #1f2328; stroke-width: 1.5 }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif } .title { font-size: 16px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #30363d }
    .ours { fill: #f97316 } .other { fill: #6e7681 } .range { stroke: #f0f6fc }
  }`;

const OURS = new Set(['native', 'script']);
const NAMES = { inline: 'inline', native: 'native task', script: 'script pool', piscina: 'piscina' };

const escape = (text) => String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The next of 1, 2, 5, 10, 20, … so that a scale has at most six steps. */
function stepOf(most) {
  for (let power = 1; ; power *= 10) {
    for (const digit of [1, 2, 5]) if (most / (digit * power) <= 6) return digit * power;
  }
}

function drawHealth({ date, machine, rounds, seconds, ways }) {
  const most = Math.max(...ways.map(({ p99 }) => p99.most));
  const step = stepOf(most);
  const steps = Math.max(1, Math.ceil(most / step));
  const bottom = TOP + ways.length * ROW;
  const x = (ms) => LEFT + (ms / (steps * step)) * (WIDTH - LEFT - RIGHT);
  const round = (number) => Math.round(number * 10) / 10;
  const grid = Array.from({ length: steps + 1 }, (_, i) => {
    const at = round(x(i * step));
    return `<line class="grid" x1="${at}" y1="${TOP - 6}" x2="${at}" y2="${bottom}"/><text class="soft" x="${at}" y="${bottom + 18}" text-anchor="middle">${i * step}</text>`;
  });
  const bars = ways.map(({ way, p99 }, i) => {
    const top = TOP + i * ROW + (ROW - BAR) / 2;
    const middle = top + BAR / 2;
    return [
      `<text class="ink" x="${LEFT - 10}" y="${middle + 5}" text-anchor="end">${escape(NAMES[way] ?? way)}</text>`,
      `<rect class="${OURS.has(way) ? 'ours' : 'other'}" x="${LEFT}" y="${top}" width="${round(Math.max(1, x(p99.median) - LEFT))}" height="${BAR}" rx="3"/>`,
      `<line class="range" x1="${round(x(p99.least))}" y1="${middle}" x2="${round(x(p99.most))}" y2="${middle}"/>`,
      `<text class="ink" x="${round(x(p99.most)) + 8}" y="${middle + 5}">${p99.median} ms</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 52}" width="${WIDTH}" height="${bottom + 52}" role="img" aria-labelledby="title">
<title id="title">p99 of /health while the CPU route is under load: ${ways.map(({ way, p99 }) => `${way} ${p99.median} ms`).join(', ')}</title>
<style>${STYLE}</style>
<rect class="page" width="100%" height="100%" rx="6"/>
<text class="ink title" x="16" y="30">/health under load: p99 in milliseconds, less is better</text>
<text class="soft" x="16" y="49">bar: median of ${rounds} rounds of ${seconds} s; line: least to most</text>
${grid.join('\n')}
${bars.join('\n')}
<text class="soft" x="16" y="${bottom + 42}" font-size="11">${escape(machine)}, ${date}</text>
</svg>
`;
}

module.exports = { drawHealth };
