'use strict';

/**
 * The projects of __test__/frameworks, each run by its framework as its users run it: on this Node and on the newest. A run is
 * fine when as many tests pass as there are, the process ends by itself within LIMIT, and it prints nothing of open handles,
 * forced exits or warnings.
 *
 * Run: node .ci/frameworks/check.js. It prints a table; docs/frameworks.md must have the same (--write puts it there).
 * The frameworks' versions stand in the projects' package.json; of one that no longer runs on Node 20, in node-20/package.json.
 */

const fs = require('node:fs');
const path = require('node:path');

const { ROOT, execute, inTurns, installed, oldestAndNewest, project } = require('../projects');

const PROJECTS = path.join(ROOT, '__test__', 'frameworks');
const PAGE = path.join(ROOT, 'docs', 'frameworks.md');
const LIMIT = 120_000;

const JEST = ['jest', '--ci'];
const VITEST = ['vitest', 'run'];
const AVA = ['ava'];
const MOCHA = ['mocha', 'test/*.test.js'];
const NODE_TEST = ['--test', '--test-reporter=tap'];

/**
 * `passed`: finds the number of tests that passed. `args`: what Node gets, where the framework's name stands for its command
 * (`isCommand: false`: it does not).
 * `since`: the first line of Node that has the mode.
 */
const FRAMEWORKS = [
  {
    name: 'jest',
    shown: 'Jest',
    passed: /^Tests: +(\d+) passed, \d+ total$/m,
    modes: [
      { name: 'in parallel', args: [...JEST, '--maxWorkers=2'], tests: 11 },
      { name: '--runInBand', args: [...JEST, '--runInBand'], tests: 11 },
      { name: '--detectOpenHandles', args: [...JEST, '--detectOpenHandles'], tests: 11 },
      { name: '--resetModules', args: [...JEST, '--runInBand', '--resetModules'], tests: 11 },
      { name: '--workerThreads', args: [...JEST, '--maxWorkers=2', '--workerThreads'], tests: 11 },
      { name: '--env=jsdom', args: [...JEST, '--runInBand', '--env=jsdom'], tests: 11 },
    ],
  },
  {
    name: 'vitest',
    shown: 'Vitest',
    passed: /^ +Tests +(\d+) passed \(\d+\)$/m,
    modes: ['forks', 'threads', 'vmForks', 'vmThreads'].map((pool) => {
      return { name: `--pool=${pool}`, args: [...VITEST, `--pool=${pool}`], tests: 9 };
    }),
  },
  {
    name: 'ava',
    shown: 'AVA',
    passed: /^ +(\d+) tests passed$/m,
    modes: [
      { name: 'worker threads', args: AVA, tests: 7 },
      { name: '--no-worker-threads', args: [...AVA, '--no-worker-threads'], tests: 7 },
    ],
  },
  {
    name: 'mocha',
    shown: 'Mocha',
    passed: /^ +(\d+) passing/m,
    modes: [
      { name: 'in one process', args: MOCHA, tests: 7 },
      { name: '--parallel', args: [...MOCHA, '--parallel'], tests: 7 },
    ],
  },
  {
    name: 'node-test',
    shown: 'node:test',
    passed: /^# pass (\d+)$/m,
    modes: [
      { name: 'a process for each file', args: NODE_TEST, tests: 8 },
      { name: '--test-isolation=none', args: [...NODE_TEST, '--test-isolation=none'], tests: 8, since: 24 },
    ],
  },
  {
    name: 'tsx',
    shown: 'node:test with tsx',
    isCommand: false,
    passed: /^# pass (\d+)$/m,
    modes: [{ name: '--import tsx', args: ['--import', 'tsx', ...NODE_TEST, 'test/typescript.test.ts'], tests: 2 }],
  },
];

/** What Node prints of its own parts that a test uses. */
const OF_NODE = /^.*ExperimentalWarning: The MockTimers API is .*\n.*--trace-warnings.*$/m;

/** What a run must not print. */
const FORBIDDEN = [
  /open handle/i,
  /warning/i,
  /did not exit/i,
  /failed to exit/i,
  /force.?exit/i,
  /close timed out/i,
  /timed out/i,
  /something prevents/i,
  /obsolete|unhandled/i,
  /segmentation|SIG[A-Z]+/,
];

/** The project's folder with the framework in the version for this line of Node; and that version. */
function makeProject(framework, major) {
  const from = path.join(PROJECTS, framework.name);
  const ofLine = path.join(from, `node-${major}`, 'package.json');
  const file = fs.existsSync(ofLine) ? ofLine : path.join(from, 'package.json');
  const { dependencies } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const packages = dependencies === undefined ? undefined : installed(file);
  const folder = project(`${framework.name}-${major}`, { from, packages });
  fs.cpSync(path.join(PROJECTS, 'scripts'), path.join(folder, 'scripts'), { recursive: true });
  return { folder, version: dependencies?.[framework.name] };
}

/** Why a run is not fine; undefined when it is. */
function complaint({ status, output, isKilled }, framework, mode) {
  if (isKilled) return `it did not end within ${LIMIT / 1000} seconds`;
  if (status !== 0) return `it ended with ${status ?? 'a signal'}`;
  const passed = Number(framework.passed.exec(output)?.[1]);
  if (passed !== mode.tests) return `${passed} tests passed, of ${mode.tests}`;
  const forbidden = FORBIDDEN.map((pattern) => pattern.exec(output.replace(OF_NODE, ''))).find((match) => match !== null);
  return forbidden === undefined ? undefined : `it printed "${forbidden[0]}"`;
}

/** The file of a framework's command. */
function commandOf(folder, name) {
  const home = path.join(folder, 'node_modules', name);
  const { bin } = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'));
  return path.join(home, typeof bin === 'string' ? bin : bin[name]);
}

async function runMode({ node, framework, mode, folder, version }) {
  const env = { ...process.env, NO_COLOR: '1', CI: '1', FORCE_COLOR: '0', NODE_OPTIONS: '' };
  // Set by node:test, when this is run from one: a test runner inside of it would report to it.
  delete env.NODE_TEST_CONTEXT;
  const args = mode.args.map((argument) => (argument === framework.name && framework.isCommand !== false ? commandOf(folder, argument) : argument));
  const ended = await execute(node.file, args, { cwd: folder, limit: LIMIT, env });
  return { node, framework, mode, version, ended, why: complaint(ended, framework, mode) };
}

/** All runs; those of one project stand together. */
function allRuns(nodes, only) {
  return nodes.flatMap((node) => {
    const major = Number(node.version.slice(1).split('.')[0]);
    return FRAMEWORKS.filter(({ name }) => only.length === 0 || only.includes(name)).flatMap((framework) => {
      const { folder, version } = makeProject(framework, major);
      const modes = framework.modes.filter(({ since = 0 }) => major >= since);
      return modes.map((mode) => ({ node, framework, mode, folder, version }));
    });
  });
}

/** A row a mode, a column a line of Node; in it the version that ran. */
function table(results, nodes) {
  const majors = nodes.map(({ version }) => `Node ${version.slice(1).split('.')[0]}`);
  const rows = new Map();
  for (const { node, framework, mode, version, why } of results) {
    const key = `| ${framework.shown} | \`${mode.name}\` |`.replace(/`([^-`][^`]*)`/, '$1');
    const says = why === undefined ? `${mode.tests} tests pass` : `**fails**: ${why}`;
    const cell = version === undefined ? says : `${says} (${version})`;
    rows.set(key, { ...rows.get(key), [nodes.indexOf(node)]: cell });
  }
  const head = `| framework | run | ${majors.join(' | ')} |\n|---|---|${'---|'.repeat(majors.length)}`;
  return [head, ...[...rows].map(([key, row]) => `${key} ${majors.map((_, index) => row[index] ?? 'no such mode').join(' | ')} |`)].join('\n');
}

/** The table that stands in the page between two marks. */
const MARKED = /(<!-- table: .ci\/frameworks -->\n)[^]*?(<!-- end -->)/;

function comparePage(text, isWriting) {
  const page = fs.readFileSync(PAGE, 'utf8');
  const updated = page.replace(MARKED, (_, begin, end) => begin + text + end);
  if (!MARKED.test(page)) throw new Error(`${PAGE} has no place for the table`);
  if (isWriting) fs.writeFileSync(PAGE, updated);
  else if (updated !== page) throw new Error(`the table of ${PAGE} is not that of this run: node .ci/frameworks/check.js --write`);
}

async function main() {
  const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
  const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const nodes = oldestAndNewest();
  const results = await inTurns(allRuns(nodes, only), 2, runMode);
  const text = table(results, nodes);
  console.log(text);
  const failures = results.filter(({ why }) => why !== undefined);
  for (const { node, framework, mode, ended, why } of failures) {
    console.error(`\n== ${framework.shown} ${mode.name}, Node ${node.version}: ${why}\n${ended.output.slice(-4000)}`);
  }
  if (failures.length > 0) process.exitCode = 1;
  else if (only.length === 0) comparePage(text, options.includes('--write'));
}

main();
