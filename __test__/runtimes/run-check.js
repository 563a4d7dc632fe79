'use strict';

/** Runs one check in this process: `<runtime> run-check.js <file of checks> <name>`. With `--list`, names all checks. */

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const FOLDER = path.join(__dirname, 'checks');

async function main([file, name]) {
  if (file === '--list') {
    const list = [];
    for (const one of fs.readdirSync(FOLDER).sort()) {
      const { area, checks } = await load(one);
      for (const [key, { end = { code: 0 } }] of Object.entries(checks)) {
        list.push({ file: one, area, name: key, code: end.code, stderr: end.stderr?.source });
      }
    }
    return process.stdout.write(JSON.stringify(list));
  }
  const { checks } = await load(file);
  const result = await checks[name]();
  // The process has to end by itself after this.
  if (result !== 'not done') process.stdout.write('done\n');
}

const load = async (file) => {
  const loaded = await import(pathToFileURL(path.join(FOLDER, file)).href);
  return loaded.default?.checks === undefined ? loaded : loaded.default;
};

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error?.code ?? ''} ${error?.stack ?? error}\n`);
  process.exit(70);
});
