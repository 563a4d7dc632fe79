'use strict';

/** The machine and the versions with which the figures were taken. */

const { execFileSync } = require('node:child_process');
const os = require('node:os');

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: __dirname, encoding: 'utf8' }).trim();
  } catch {
    return 'no git';
  }
}

/** @returns {{ line: string } & Record<string, unknown>} `line` says it all in one line */
function environment() {
  const cpus = os.cpus();
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    load: os.loadavg()[0].toFixed(1),
  };
  const line =
    `${facts.date}, ${facts.commit}, Node ${facts.node}, ${facts.platform}, ` +
    `${facts.cpu} (${facts.cores} cores), load ${facts.load}`;
  return { ...facts, line };
}

module.exports = { environment };
