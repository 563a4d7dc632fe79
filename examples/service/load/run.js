'use strict';

/**
 * Measures how soon `/health` answers while the CPU route is under load, for each way to run the work, and draws the result:
 * results/health.json, results/health.svg and the table in README.md. Each service and each load generator is a process of its own; the ways take
 * turns, and the median of the rounds counts.
 *
 *     node load/run.js [rounds] [seconds]   in another folder with RW_RESULTS
 */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { text } = require('node:stream/consumers');

const { WAYS } = require('../settings');
const { drawHealth } = require('./draw');

const FOLDER = path.join(__dirname, '..');
/** Another place for a run that is only to show that it works. */
const RESULTS = process.env.RW_RESULTS ?? path.join(FOLDER, 'results');

async function startService(way) {
  const child = spawn(process.execPath, ['main.js'], {
    cwd: FOLDER,
    env: { ...process.env, WAY: way, PORT: '0', TASK_TIMEOUT: '60000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'close');
  let port;
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    port = /:(\d+)"/.exec(chunk)?.[1];
    if (port !== undefined) break;
  }
  return {
    port,
    async end() {
      child.kill('SIGTERM');
      const [code] = await exit;
      if (code !== 0) throw new Error(`the service ended with ${code}`);
    },
  };
}

async function measure(way, seconds) {
  const service = await startService(way);
  const child = spawn(process.execPath, ['load/generate.js', service.port, seconds], { cwd: FOLDER, stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  await service.end();
  if (code !== 0) throw new Error(`the load of '${way}' ended with ${code}`);
  return JSON.parse(printed);
}

/** Median, least and most of one number over the rounds. */
function spread(rounds, name) {
  const sorted = rounds.map((round) => round[name]).sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], least: sorted[0], most: sorted.at(-1) };
}

async function main([rounds = '7', seconds = '5']) {
  // Of the last minute: how much else the machine has to do.
  const [otherWork] = os.loadavg();
  const found = Object.fromEntries(WAYS.map((way) => [way, []]));
  for (let round = 0; round < Number(rounds); round++) {
    for (const way of round % 2 === 0 ? WAYS : [...WAYS].reverse()) {
      const result = await measure(way, seconds);
      found[way].push(result);
      console.log(`round ${round + 1}  ${way.padEnd(8)} /health p99 ${result.p99} ms, ${result.rate} requests a second`);
    }
  }
  const ways = WAYS.map((way) => ({
    way,
    ...Object.fromEntries(['p50', 'p99', 'max', 'rate'].map((name) => [name, spread(found[way], name)])),
  }));
  const [{ model }] = os.cpus();
  const machine = `${model.trim()}, ${os.cpus().length} cores, ${os.platform()} ${os.arch()}, Node ${process.version}`;
  const results = { date: new Date().toISOString().slice(0, 10), machine, otherWork, rounds: Number(rounds), seconds: Number(seconds), ways };
  fs.mkdirSync(RESULTS, { recursive: true });
  fs.writeFileSync(path.join(RESULTS, 'health.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  fs.writeFileSync(path.join(RESULTS, 'health.svg'), drawHealth(results));
  if (process.env.RW_RESULTS === undefined) writeReadme(results);
  console.log(table(results));
}

/** The figures in the README, between their marks. */
function writeReadme(results) {
  const file = path.join(FOLDER, 'README.md');
  const marks = /(<!-- figures: .* -->\n)[^]*(<!-- end of figures -->)/;
  const { machine, date, rounds, seconds, otherWork } = results;
  const busy = `other programs gave it a load average of ${otherWork.toFixed(1)} at the start`;
  const text = `${table(results)}\n\nMedian of ${rounds} rounds of ${seconds} s, and least to most. ${machine}; ${date}; ${busy}.\n`;
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(marks, (_, begin, end) => `${begin}${text}${end}`));
}

function table({ ways }) {
  const cell = ({ median, least, most }) => `${median} (${least} to ${most})`;
  const rows = ways.map(({ way, p50, p99, rate }) => `| ${way} | ${cell(p50)} | ${cell(p99)} | ${cell(rate)} |`);
  return ['| way | p50, ms | p99, ms | answers of the CPU route a second |', '|---|---|---|---|', ...rows].join('\n');
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
