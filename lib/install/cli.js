#!/usr/bin/env node
'use strict';

/** The command `rust-workers`: builds the addon where no prebuilt one fits, and says what is loaded. */

const { parseArgs } = require('node:util');

const { buildIfNeeded, log, runAsCommand } = require('./build');
const { lightLibrary } = require('../native/light-library');
const { loadBinding } = require('../native/load');
const { triple } = require('../native/triple');
const { VERSION } = require('../native/version');

const HELP = `rust-workers ${VERSION}

  rust-workers build           builds the addon, and the library of pool.light, from their sources, if none that fit are there; needs
                               Rust and a C compiler
  rust-workers build --force   builds them in any case
  rust-workers where           says which addon is loaded here, or why none is; and the library of pool.light
  rust-workers --version
  rust-workers --help
`;

/** A command line that says nothing that there is: exit code 2, as of other programs. */
class UsageError extends Error {}

function build({ force }) {
  if (!buildIfNeeded({ force })) log(`nothing to build: ${fileOfAddon()} fits (build --force builds all the same)`);
}

/** The path of the addon that a program would load here. */
function fileOfAddon() {
  let file;
  loadBinding({
    load(target) {
      const loaded = require(target);
      file = require.resolve(target);
      return loaded;
    },
  });
  return file;
}

/** Does it; where a file is not there, says so in the words of the error. Whether it is there. */
function attempt(print) {
  try {
    print();
    return true;
  } catch (error) {
    if (error.code !== 'ERR_RW_BINDING_NOT_FOUND') throw error;
    process.stderr.write(`${error.message}\n`);
    return false;
  }
}

function where() {
  const isThere = attempt(() =>
    process.stdout.write(`rust-workers ${VERSION}, ${triple()}, Node.js ${process.version}\n${fileOfAddon()}\n`),
  );
  if (!isThere) process.exitCode = 1;
  // All but pool.light works without it.
  else attempt(() => process.stdout.write(`${lightLibrary()}\n`));
}

const COMMANDS = { build: { run: build, flags: ['force'] }, where: { run: where, flags: [] } };

function parse(args) {
  const options = { force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    // Its first sentence names the option; the others are about values, which no option here has.
    throw new UsageError(error.message.split('. ', 1)[0]);
  }
}

function main(args) {
  const { values, positionals } = parse(args);
  const [name, ...others] = positionals;
  if (values.version) return process.stdout.write(`${VERSION}\n`);
  if (values.help || name === 'help') return process.stdout.write(HELP);
  if (name === undefined) throw new UsageError('a command is missing');
  if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`there is no command "${name}"`);
  if (others.length > 0) throw new UsageError(`"${name}" takes no "${others[0]}"`);
  const { run, flags } = COMMANDS[name];
  const wrong = Object.keys(values).find((flag) => !flags.includes(flag));
  if (wrong !== undefined) throw new UsageError(`"${name}" takes no --${wrong}`);
  return runAsCommand(() => run(values));
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`rust-workers: ${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
