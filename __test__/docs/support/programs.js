'use strict';

/** From code blocks to programs: files that are written and run, and what they must print. */

const ts = require('typescript');

const PROGRAMS = new Set(['js', 'ts']);

/** A first line such as `// worker.mjs` names the file that the block is. */
const FILE_NAME = /^\/\/ ([\w./-]+\.(?:mjs|cjs|js|mts|cts|ts))(?:$|[:,] )/;

/** A file that is run; files with other names are there for the programs that follow on the page. */
const IS_RUN = /^(main|server)\./;

/** `// → text` says what is printed. */
const PRINTED = /\/\/ → (.*)$/;

const nameOf = ({ code }) => FILE_NAME.exec(code.split('\n', 1)[0])?.[1];

/** The lines that a program prints, in order, as its comments say; `…` stands for any text. */
function printedBy(code) {
  return code.split('\n').flatMap((line) => {
    const [, text] = PRINTED.exec(line) ?? [];
    return text === undefined ? [] : [text];
  });
}

/** Whether the printed lines are those. */
function isPrinted(expected, lines) {
  const pattern = (text) =>
    new RegExp(`^${text.split('…').map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('.*')}$`, 'u');
  return lines.length === expected.length && expected.every((text, at) => pattern(text).test(lines[at]));
}

const isCommonJs = (code) => /\brequire\(/.test(code) && !/^import /m.test(code);

/**
 * The programs of a page.
 *
 * @param {ReturnType<import('./markdown').blocksOf>} blocks
 * @returns {Array<{ title: string, main: string, files: Map<string, string>, expected: string[], packages: string[],
 *   node?: string, ofTypeScript: boolean }>} `files` are those that stand there when `main` is run
 */
function programsOf(blocks) {
  const programs = [];
  const files = new Map();
  const unused = new Map();
  const where = ({ page, line }) => `${page}:${line}`;
  for (const block of blocks) {
    // What belongs to a walk is run there.
    if (!PROGRAMS.has(block.language) || block.reason !== undefined || block.walk !== undefined) continue;
    const { code, packages = [], node } = block;
    const name = nameOf(block);
    if (block.continues) {
      const last = programs.at(-1);
      if (last === undefined) throw new Error(`${where(block)}: there is nothing that it could continue`);
      last.title += `,${block.line}`;
      last.files.set(last.main, `${last.files.get(last.main)}\n${code}`);
      last.expected.push(...printedBy(code));
      last.packages.push(...packages);
    } else if (name !== undefined && !IS_RUN.test(name)) {
      files.set(name, code);
      unused.set(name, block);
    } else {
      const extension = block.language === 'ts' ? 'mts' : isCommonJs(code) ? 'cjs' : 'mjs';
      const main = name ?? `block-${block.line}.${extension}`;
      programs.push({
        title: where(block),
        main,
        files: new Map([...files, [main, code]]),
        expected: printedBy(code),
        packages: [...packages],
        node,
        ofTypeScript: block.language === 'ts',
      });
    }
    for (const file of unused.keys()) if (file !== name && code.includes(file)) unused.delete(file);
  }
  for (const [name, block] of unused) throw new Error(`${where(block)}: no program of the page uses ${name}`);
  return programs;
}

/** TypeScript as the JavaScript that Node 20 runs; `using` too. */
function toJavaScript(source) {
  const { ES2022, NodeNext } = { ...ts.ScriptTarget, ...ts.ModuleKind };
  const compilerOptions = { target: ES2022, module: NodeNext, verbatimModuleSyntax: true };
  return ts.transpileModule(source, { compilerOptions, fileName: 'program.mts' }).outputText;
}

/** What the compiler says of these files, strict; nothing when all is well. */
function typeErrors(names) {
  const program = ts.createProgram(names, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.es2024.sharedmemory.d.ts'],
    types: ['node'],
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
    return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

module.exports = { isPrinted, printedBy, programsOf, toJavaScript, typeErrors };
