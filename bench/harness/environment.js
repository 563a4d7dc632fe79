'use strict';

/** The machine, the versions and the load with which a contest was measured. */

const { execFileSync } = require('node:child_process');
const os = require('node:os');

let known;

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: __dirname, encoding: 'utf8' }).trim();
  } catch {
    return 'no git';
  }
}

/** @returns {{ date: string, commit: string, node: string, platform: string, cpu: string, cores: number, load: number }} */
function environment() {
  known ??= {
    commit: commit(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
  };
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    ...known,
    load: Number(os.loadavg()[0].toFixed(1)),
    // Above that of others (below 0), their load takes less part.
    priority: os.getPriority(),
  };
}

/** `Intel(R) Xeon(R) Processor` is `Intel Xeon`. */
const shortCpu = (cpu) =>
  cpu
    .replace(/\((R|TM)\)/g, '')
    .replace(/ (Processor|CPU)\b.*/, '')
    .replace(/\s+/g, ' ')
    .trim();

/** The machine in a few words. */
const machine = ({ cpu, cores }) => `${shortCpu(cpu)}, ${cores} cores`;

/** All of it in one line, without the commit, which few readers can look up. */
const line = (measured) =>
  `${measured.date.slice(0, 10)}, Node ${measured.node}, ${measured.platform}, ${machine(measured)}, load ${measured.load}` +
  (measured.priority ? `, priority ${measured.priority}` : '');

module.exports = { environment, line, machine };
