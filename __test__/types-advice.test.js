'use strict';

// What the compiler says of a mistake names what was meant, in one line.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');

const ts = require('typescript');

const FILE = path.join(__dirname, 'types', 'mistakes.cts');
const SOURCE = `
import rustWorkers = require('rust-workers');
interface Functions { add(input: { a: number }): number; later(input: string): Promise<number>; }
const pool = new rustWorkers.WorkerPool<Functions>('./x.js');
pool.run('ad', { a: 1 });
pool.map('ad', [{ a: 1 }]);
pool.map('add', ['x']);
pool.map('fibonacci', ['x']);
`;

test('a misspelt name, and an element of another type', () => {
  const config = path.join(__dirname, 'types', 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(config, ts.sys.readFile).config, ts.sys, path.dirname(config));
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === FILE || fileExists(name);
  host.getSourceFile = (name, language) =>
    name === FILE ? ts.createSourceFile(name, SOURCE, language) : getSourceFile.call(host, name, language);
  const program = ts.createProgram([FILE], { ...options, skipLibCheck: true }, host);
  const told = ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  const name = `Argument of type '"ad"' is not assignable to parameter of type 'NativeTaskName | "add" | "later"'.`;
  assert.deepEqual(told, [
    name,
    name,
    "Type 'string' is not assignable to type '{ a: number; }'.",
    "Type 'string' is not assignable to type 'number'.",
  ]);
});
