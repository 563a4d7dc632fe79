'use strict';

/**
 * The types of the packed package, as programs of users meet them: __test__/types compiled by several versions of TypeScript,
 * against Node's types of several lines, in every way of resolving modules, with libraries checked. Then publint and
 * @arethetypeswrong/cli, on the package and its tarball.
 *
 * Run: node .ci/types/check.js. Versions stand in package.json beside this file.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { ROOT, execute, inTurns, installed, packedPackage, project } = require('../projects');

const TYPES = path.join(ROOT, '__test__', 'types');
const LIMIT = 300_000;

/** Ways to resolve modules. */
const MODES = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
  node10: { module: 'commonjs', moduleResolution: 'node', esModuleInterop: true },
};

/**
 * What is compiled: mode, TypeScript, lines of Node's types. Every pair of TypeScript and line would take six minutes: so each
 * line with the newest and at least one other, and each mode with the newest that has it. Node's types of 22 and later ask
 * for TypeScript 5.6; `module: preserve` came with 5.4; node10 ended with 5.9.
 */
const COMBINATIONS = [
  ['nodenext', '5.2', 20],
  ['nodenext', '5.4', 20],
  ['nodenext', '5.6', 22, 26],
  ['nodenext', '5.9', 20, 24, 26],
  ['nodenext', '6.0', 22, 26],
  ['nodenext', '7.0', 20, 22, 24, 26],
  ['node16', '5.4', 20],
  ['node16', '7.0', 26],
  ['bundler', '5.6', 24],
  ['bundler', '6.0', 26],
  ['bundler', '7.0', 20, 26],
  ['node10', '5.9', 22, 26],
];

/** The project of one line of Node's types: the type tests, and the programs for worker_threads with Node's own import. */
function makeProject(packages, line) {
  const modules = { '@types/node': path.join(packages, 'node_modules', `types-node-${line}`) };
  const folder = project(`types-${line}`, { from: TYPES, modules });
  const seed = fs.readFileSync(path.join(folder, 'seed.mts'), 'utf8');
  const ofNode = seed.replaceAll("'rust-workers'", "'node:worker_threads'");
  if (ofNode === seed) throw new Error('seed.mts does not import from rust-workers');
  fs.writeFileSync(path.join(folder, 'seed-of-node.mts'), ofNode);
  return folder;
}

/** The tsconfig.json of one combination: that of the type tests, in another mode. */
function configFor(mode) {
  const { compilerOptions, files } = JSON.parse(fs.readFileSync(path.join(TYPES, 'tsconfig.json'), 'utf8'));
  // node10 knows neither `exports` nor that .mts is a module of its own.
  const chosen = mode === 'node10' ? files.filter((name) => !name.endsWith('.mts')) : [...files, 'seed-of-node.mts'];
  return { compilerOptions: { ...compilerOptions, ...MODES[mode] }, files: chosen };
}

function combinations(packages) {
  const all = COMBINATIONS.flatMap(([mode, typescript, ...lines]) => lines.map((line) => ({ mode, typescript, line })));
  const folders = new Map();
  for (const { line } of all) if (!folders.has(line)) folders.set(line, makeProject(packages, line));
  return all.map((one) => ({ ...one, folder: folders.get(one.line) }));
}

async function compile(packages, { line, typescript, mode, folder }) {
  const config = path.join(folder, `tsconfig-${typescript}-${mode}.json`);
  fs.writeFileSync(config, JSON.stringify(configFor(mode)));
  const tsc = path.join(packages, 'node_modules', `typescript-${typescript}`, 'bin', 'tsc');
  const { status, output, isKilled } = await execute(process.execPath, [tsc, '-p', config], { cwd: folder, limit: LIMIT });
  return { line, typescript, mode, isFine: status === 0 && !isKilled, output };
}

/** Whether a check of the whole package finds nothing. */
function packageCheck(name, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const isFine = status === 0;
  console.log(isFine ? `${name}: nothing found` : `${name}:\n${stdout}${stderr}`);
  return isFine;
}

/** By TypeScript and mode, the lines of Node's types that compile. */
function table(results) {
  const modes = Object.keys(MODES);
  const lines = [`| TypeScript | ${modes.join(' | ')} |`, `|---|${'---|'.repeat(modes.length)}`];
  for (const typescript of new Set(results.map((result) => result.typescript))) {
    const cells = modes.map((mode) => {
      const these = results.filter((result) => result.typescript === typescript && result.mode === mode);
      return these.map(({ line, isFine }) => (isFine ? line : `**${line} fails**`)).join(', ');
    });
    lines.push(`| ${typescript} | ${cells.join(' | ')} |`);
  }
  return `Compiled with @types/node:\n\n${lines.join('\n')}\n`;
}

async function main() {
  const packages = installed(path.join(__dirname, 'package.json'));
  const results = await inTurns(combinations(packages), 2, (combination) => compile(packages, combination));
  results.sort((a, b) => a.typescript - b.typescript || a.line - b.line);
  console.log(table(results));
  const failures = results.filter(({ isFine }) => !isFine);
  for (const { typescript, line, mode, output } of failures) {
    console.log(`\nTypeScript ${typescript}, @types/node ${line}, ${mode}:\n${output.split('\n').slice(0, 12).join('\n')}`);
  }
  const { folder, tarball } = packedPackage();
  const command = (name, file) => path.join(packages, 'node_modules', ...name.split('/'), file);
  const checks = [
    packageCheck('publint', [command('publint', 'src/cli.js'), folder, '--strict']),
    packageCheck('@arethetypeswrong/cli', [command('@arethetypeswrong/cli', 'dist/index.js'), tarball]),
  ];
  if (failures.length > 0 || checks.includes(false)) process.exitCode = 1;
}

main();
