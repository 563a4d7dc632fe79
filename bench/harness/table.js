'use strict';

/** A contest's result as a Markdown table. */

const STEPS = [
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Three digits that count: 1234567 is `1.23 M`. */
function short(number) {
  if (number === 0) return '0';
  for (const [size, letter] of STEPS) {
    if (number >= size) return `${(number / size).toPrecision(3)} ${letter}`;
  }
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

function times(number) {
  return `${number >= 10 ? number.toFixed(0) : number.toFixed(2)}×`;
}

/** @param {object} result as in results/ */
function table({ title, unit, better, note, shown, rounds, entries, skipped }) {
  if (skipped) return `**${title}**: not measured: ${skipped}`;
  const also = shown ?? Object.keys(entries[0].also);
  const row = ({ name, note: remark, median, min, max, ratio, also: more }) =>
    [
      '',
      ` ${name}${remark ? ` (${remark})` : ''} `,
      ` ${short(median)} `,
      ` ${short(min)} … ${short(max)} `,
      ...also.map((column) => ` ${short(more[column].median)} `),
      ratio === undefined ? ' ' : ` ${times(ratio)} `,
      '',
    ].join('|');
  return [
    `**${title}** (${unit}, ${better} is better; median of ${rounds})${note ? `. ${note}` : ''}`,
    '',
    `| | ${unit} | range | ${also.map((column) => `${column} | `).join('')}${entries[0].name} is better by |`,
    `|${'---|'.repeat(4 + also.length)}`,
    ...entries.map(row),
  ].join('\n');
}

module.exports = { short, table, times };
