'use strict';

/** A contest's result as a Markdown table. */

const STEPS = [
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Three digits that count: 1234567 is `1.23 M`. */
function short(number) {
  for (const [size, letter] of STEPS) {
    if (number >= size) return `${(number / size).toPrecision(3)} ${letter}`;
  }
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

function ratio(number) {
  return number >= 10 ? number.toFixed(0) : number.toFixed(2);
}

/** @param {object} result as `contest.js` makes it */
function table({ title, unit, better, note, rounds, entries, skipped }) {
  if (skipped) return `**${title}**: skipped, ${skipped}`;
  const rows = entries.map(
    ({ name, note: remark, median, min, max, ratio: times }, index) =>
      `| ${name}${remark ? ` (${remark})` : ''} | ${short(median)} | ${short(min)} … ${short(max)} | ` +
      `${index === 0 ? '' : `${ratio(times)}×`} |`,
  );
  return [
    `**${title}** (${unit}, ${better} is better; median of ${rounds})${note ? `. ${note}` : ''}`,
    '',
    `| | ${unit} | range | ${entries[0].name} is better by |`,
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

module.exports = { table };
