'use strict';

/** Draws the plots by Vega, which is a package of bench/: it makes SVG in plain Node. Vega-Lite keeps each plot short. */

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const { CARD, DARK, EDGE, GRID, INK, PALE } = require('./colours');
const { PLOTS } = require('./specs');

const BENCH = path.join(__dirname, '..', '..', 'bench', 'package.json');
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Of every card: what Vega computes is too wide, since it takes texts for longer than they are. */
const CARD_WIDTH = 800;

const CONFIG = {
  background: CARD,
  padding: 22,
  font: FONT,
  title: { color: INK, fontSize: 17, fontWeight: 600, subtitleColor: PALE, subtitleFontSize: 13, subtitlePadding: 6 },
  axis: {
    labelColor: INK,
    titleColor: PALE,
    titleFontWeight: 'normal',
    titleFontSize: 12,
    labelFontSize: 12,
    gridColor: GRID,
    domainColor: EDGE,
    tickColor: EDGE,
    titlePadding: 10,
  },
  legend: { labelColor: INK },
  view: { stroke: null },
};

const names = () => Object.keys(PLOTS);
const specOf = (name) => ({ ...PLOTS[name](), config: CONFIG });

/** What a plot was drawn from and by: a test compares it without Vega. */
const fingerprint = (name) =>
  createHash('sha256')
    .update(JSON.stringify(specOf(name)))
    .update(JSON.stringify(DARK))
    .update(fs.readFileSync(__filename))
    .digest('hex')
    .slice(0, 16);

/** All titles and labels, for those who hear the page. */
function words({ title, data, vconcat }) {
  const rows = (data?.values ?? []).filter(({ label }) => label).map(({ name, label }) => `${name} ${label}`);
  const inner = (vconcat ?? []).map((part) => words(part));
  return [title.text, ...rows, ...inner].join('; ').replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}

/** Dark pages: an attribute is weaker than any style. */
const darkStyle = () => {
  const rules = Object.entries(DARK).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  return `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`;
};

/** @returns {Promise<string>} the plot as SVG */
async function draw(name) {
  const fromBench = createRequire(BENCH);
  const vega = await import(fromBench.resolve('vega'));
  const { compile } = await import(fromBench.resolve('vega-lite'));
  const spec = specOf(name);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg
    .replace(/<svg [^>]*?viewBox="0 0 \d+ (\d+)"[^>]*>/, (_, height) =>
      [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${CARD_WIDTH} ${height}" width="${CARD_WIDTH}" height="${height}" ` +
          `role="img" aria-label="${words(spec)}">`,
        `<!-- drawn from ${fingerprint(name)} -->`,
        darkStyle(),
      ].join('\n'),
    )
    .replace(
      /<rect width="\d+" height="(\d+)" fill="[^"]*"\/>/,
      (_, height) =>
        `<rect x="0.5" y="0.5" width="${CARD_WIDTH - 1}" height="${height - 1}" rx="8" fill="${CARD}" stroke="${EDGE}"/>`,
    )}\n`;
}

/** Whether a plot's text was drawn from what stands in the results now. */
const isCurrent = (name, svg) => svg.includes(`<!-- drawn from ${fingerprint(name)} -->`);

module.exports = { draw, isCurrent, names };
