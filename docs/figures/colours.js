'use strict';

/** The colours of the plots, on a card of their own, with those of a dark page beside them. */

const CARD = '#f6f8fa';
const EDGE = '#d0d7de';
const INK = '#1f2328';
const PALE = '#57606a';
const GRID = '#dde1e6';
const OURS = '#c2410c';
const REST = '#8c959f';

/** On light -> on dark. */
const DARK = {
  [CARD]: '#161b22',
  [EDGE]: '#30363d',
  [INK]: '#e6edf3',
  [PALE]: '#9198a1',
  [GRID]: '#2a3038',
  [OURS]: '#fb8f44',
  [REST]: '#6e7681',
  '#0969da': '#58a6ff',
  '#8250df': '#be8fff',
  '#1a7f37': '#56d364',
  '#9a6700': '#e3b341',
  '#bf3989': '#ff9bce',
  '#1b7c83': '#39c5cf',
};

const OF_SERIES = [
  [/^rust-workers/, OURS],
  [/^submitted and finished/, OURS],
  [/by hand/, PALE],
  [/^multithreading/, '#0969da'],
  [/^poolifier/, '#8250df'],
  [/^piscina, 64/, '#1a7f37'],
  [/^piscina/, '#1b7c83'],
  [/AsyncTask/, '#9a6700'],
  [/^all cancelled/, '#0969da'],
  [/^destroy/, '#8250df'],
];

function colourOf(name) {
  const found = OF_SERIES.find(([pattern]) => pattern.test(name));
  if (found === undefined) throw new Error(`no colour for the line '${name}'`);
  return found[1];
}

module.exports = { CARD, DARK, EDGE, GRID, INK, OURS, PALE, REST, colourOf };
