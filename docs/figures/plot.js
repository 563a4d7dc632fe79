'use strict';

/** The plot of README.md: a bar for each pool, on a card of its own colour, so that it reads on light and dark pages. */

const { bars, round } = require('./figures');

const WIDTH = 760;
const NAMES = 210;
const FIGURES = 90;
const BAR = 24;
const GAP = 12;
const TOP = 78;
const FONT = "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif\"";

const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${words}</text>`;

/** @returns {string} the plot as SVG */
function plot() {
  const rows = bars();
  const most = rows[0][1];
  const height = TOP + rows.length * (BAR + GAP) + 34;
  const lines = rows.flatMap(([name, tasks], at) => {
    const y = TOP + at * (BAR + GAP);
    const width = Math.max(2, Math.round((tasks / most) * (WIDTH - NAMES - FIGURES - 24)));
    const ours = name === 'rust-workers';
    const style = ours ? 'font-weight="600" fill="#1f2328"' : 'fill="#424a53"';
    return [
      text(NAMES - 10, y + 17, name, `text-anchor="end" ${style}`),
      `<rect x="${NAMES}" y="${y}" width="${width}" height="${BAR}" rx="3" fill="${ours ? '#c2410c' : '#8c959f'}"/>`,
      text(NAMES + width + 8, y + 17, round(tasks), style),
    ];
  });
  const label = rows.map(([name, tasks]) => `${name} ${round(tasks)}`).join(', ');
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
      `role="img" aria-label="JavaScript tasks a second: ${label}" ${FONT} font-size="14">`,
    `<rect width="${WIDTH}" height="${height}" rx="8" fill="#f6f8fa" stroke="#d0d7de"/>`,
    text(24, 32, 'JavaScript tasks a second, more is better', 'font-size="17" font-weight="600" fill="#1f2328"'),
    text(24, 54, 'A small object in and out, 5,000 tasks in flight, 2 workers each', 'fill="#57606a"'),
    ...lines,
    text(24, height - 14, 'npm run bench -- scripts', 'font-size="12" fill="#57606a" font-family="monospace"'),
    '</svg>',
  ].join('\n')}\n`;
}

module.exports = { plot };
