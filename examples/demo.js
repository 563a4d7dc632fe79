'use strict';

/**
 * Hashes and counts every file of a folder, once in plain JavaScript on this thread and once on a pool of
 * Rust threads, checks that both give the same, and shows what it cost in time and in delay of the event
 * loop.
 *
 *     npm run demo                    this project's node_modules and Rust sources
 *     npm run demo -- ~/Documents     any folder or file
 */

const fs = require('node:fs');
const path = require('node:path');

const { WorkerPool } = require('rust-workers');

const { renderChart } = require('./demo/chart');
const { hasChanged, reason, survey } = require('./demo/files');
const { measure } = require('./demo/measure');
const { createProgress, formatBytes, renderTable } = require('./demo/output');
const { inPlainJs, onPool } = require('./demo/ways');

const ROOT = path.join(__dirname, '..');
const DEFAULT_PLACES = ['node_modules', 'src'].map((name) => path.join(ROOT, name));

const NEXT =
  'Next: your own files, npm run demo -- <folder>; your own JavaScript on the pool, docs/getting-started.md.';

/** An end that needs one line and no stack. */
class DemoError extends Error {}

/** The places to read, each of them there and readable. */
function chosenPlaces(args) {
  const places = args.length > 0 ? args : DEFAULT_PLACES;
  for (const place of places) {
    let stat;
    try {
      fs.accessSync(place, fs.constants.R_OK);
      stat = fs.statSync(place);
    } catch (error) {
      throw new DemoError(`${place}: ${reason(error)}`);
    }
    // A device or a pipe may never come to an end.
    if (!stat.isFile() && !stat.isDirectory()) throw new DemoError(`${place}: neither a file nor a folder`);
  }
  return places;
}

/** Both ways over the files. The pool is closed on the way out, whatever happens. */
async function measureBoth(files, total) {
  const js = await measure(files, inPlainJs, createProgress(process.stdout, 'plain JS', total));
  const pool = new WorkerPool();
  try {
    const pooled = await measure(files, onPool(pool), createProgress(process.stdout, 'pool    ', total));
    return { js, pooled, threads: pool.threads };
  } finally {
    await pool.close();
  }
}

/**
 * Checks file by file. A file that was written to meanwhile is no error of the pool: it joins the skipped
 * ones.
 */
async function checkEqual(files, js, pooled, skipped) {
  for (const [index, file] of files.entries()) {
    const [expected, actual] = [js.summaries[index], pooled.summaries[index]];
    if (expected === actual && expected !== '') continue;
    if (!(await hasChanged(file))) {
      throw new DemoError(`${file.name}: the results differ\n  plain JS: ${expected}\n  pool:     ${actual}`);
    }
    skipped.push({ name: file.name, why: 'it changed while it was read' });
  }
}

function reportSkipped(skipped) {
  if (skipped.length === 0) return;
  console.log(`\n${skipped.length} skipped:`);
  for (const { name, why } of skipped) console.log(`  ${name}: ${why}`);
}

async function main() {
  const places = chosenPlaces(process.argv.slice(2));
  const { files, skipped } = await survey(places);
  const total = { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
  if (files.length === 0) {
    reportSkipped(skipped);
    throw new DemoError(`${places.join(', ')}: no file to read`);
  }
  console.log(
    `${total.files} ${total.files === 1 ? 'file' : 'files'}, ${formatBytes(total.bytes)}, in ${places.join(' and ')}`,
  );

  const { js, pooled, threads } = await measureBoth(files, total);
  await checkEqual(files, js, pooled, skipped);

  console.log(`\n${renderTable(total, js, pooled, threads)}`);
  console.log('BLAKE3, SHA-256 and counts of both ways are equal for every file.');
  const ways = [
    { label: 'plain JS', course: js.delay.course },
    { label: 'pool', course: pooled.delay.course },
  ];
  console.log(`\n${renderChart(ways)}`);
  reportSkipped(skipped);
  console.log(`\n${NEXT}`);
}

main().catch((error) => {
  console.error(error instanceof DemoError ? `demo: ${error.message}` : error);
  process.exitCode = 1;
});
