'use strict';

/** The output of the demonstration: a bar or lines while it works, and the table at the end. */

const BAR_WIDTH = 30;
/**
 * The bar is drawn at most this often, in milliseconds, so that drawing does not disturb what is measured.
 */
const REDRAW_MS = 100;
/** Without a terminal there is a line at each of these shares. */
const LINE_SHARES = [0.25, 0.5, 0.75, 1];

function formatBytes(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

function formatMs(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

/**
 * Progress over all files: a bar on a terminal, else a line at each quarter.
 *
 * @param {NodeJS.WriteStream} stream
 * @param {string} label
 * @param {{ files: number, bytes: number }} total
 */
function createProgress(stream, label, total) {
  let files = 0;
  let bytes = 0;
  let drawnAt = 0;
  let shares = [...LINE_SHARES];
  // Empty files are progress too: the share is that of bytes and files together.
  const share = () => (files + bytes) / (total.files + total.bytes);
  const counts = () => `${files}/${total.files} files, ${formatBytes(bytes)}`;

  function drawBar() {
    const filled = Math.round(share() * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const percent = `${Math.floor(share() * 100)}%`.padStart(4);
    stream.write(`\r${label} ${bar}${percent}  ${counts()}\x1b[K`);
  }

  function writeLine() {
    const passed = shares.filter((at) => share() >= at);
    if (passed.length === 0) return;
    shares = shares.slice(passed.length);
    stream.write(`${label} ${Math.round(passed.at(-1) * 100)}%  ${counts()}\n`);
  }

  return {
    add(size) {
      files += 1;
      bytes += size;
      if (!stream.isTTY) {
        writeLine();
      } else if (Date.now() - drawnAt >= REDRAW_MS) {
        drawnAt = Date.now();
        drawBar();
      }
    },
    finish() {
      if (!stream.isTTY) return;
      drawBar();
      stream.write('\n');
    },
  };
}

/** Rows of cells as lines: the first column to the left, the others to the right. */
function alignColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('   '),
  );
}

/**
 * @param {{ files: number, bytes: number }} total
 * @param {object} js the result of `measure` for plain JavaScript
 * @param {object} pool the result of `measure` for the pool
 * @param {number} threads of the pool
 * @returns {string} the table and what must be known to read it
 */
function renderTable(total, js, pool, threads) {
  const ways = [js, pool];
  const row = (name, cell) => [name, ...ways.map(cell)];
  const rows = [
    ['', 'plain JS, 1 thread', `pool, ${threads} ${threads === 1 ? 'thread' : 'threads'}`],
    row('files', () => String(total.files)),
    row('bytes', () => formatBytes(total.bytes)),
    row('time', ({ ms }) => formatMs(ms)),
    row('bytes per second', ({ ms }) => `${formatBytes((total.bytes / ms) * 1000)}/s`),
    row('speed-up', ({ ms }) => `${(js.ms / ms).toFixed(1)}x`),
    row('event-loop delay p50', ({ delay }) => formatMs(delay.p50)),
    row('event-loop delay p99', ({ delay }) => formatMs(delay.p99)),
    row('event-loop delay max', ({ delay }) => formatMs(delay.max)),
  ];
  const [head, ...body] = alignColumns(rows);
  const rounds = ways.map((way) => way.rounds).join(' and ');
  return [
    head,
    '─'.repeat(head.length),
    ...body,
    '',
    `Times are medians of ${rounds} rounds over all files, reading included. In plain JS,`,
    "SHA-256 is node:crypto's (OpenSSL); BLAKE3 and the counts are JavaScript.",
  ].join('\n');
}

module.exports = { createProgress, renderTable, formatBytes };
