'use strict';

/**
 * Which file of `src/` imports which.
 *
 * An arrow runs to the file that defines the item: `crate::pool::Pool` is followed through the `mod` and `use` of
 * `pool/mod.rs` to `pool/threads.rs`. An entry file (lib.rs, mod.rs) that only declares and re-exports is no arrow's end,
 * and what it re-exports from its own folder is no arrow of it, unless its own code uses the name.
 *
 * What this reading cannot see: items that are used by method calls alone, without a path; names that a macro makes, which
 * count as items of the file of the macro call; which of two `cfg`s holds. Test code is left out.
 */

const path = require('node:path').posix;

const { behindGroup, codeOf } = require('./rust-tokens');

const DEFINES = new Set(['fn', 'struct', 'enum', 'trait', 'union', 'type', 'const', 'static']);

class Module {
  /** name -> { module } | { path, from } | { isOwn } */
  names = new Map();
  /** Paths whose names are all imported. */
  globs = [];

  constructor(file, parent) {
    this.file = file;
    this.parent = parent;
    this.root = parent?.root ?? this;
  }

  add(name, what) {
    const known = this.names.get(name);
    // A macro may be re-exported by its own name.
    if (known === undefined || (known.path !== undefined && what.path === undefined)) this.names.set(name, what);
  }
}

/** One file: its modules, and the paths that its code names. */
class File {
  /** `{ path, line, module, alias, isReexport }`: alias where a `use` names the path */
  paths = [];
  /** Where code other than a `use` names something. */
  usedNames = new Set();
  children = [];
  definesNothing = true;

  constructor(source, file, parent) {
    this.file = file;
    this.module = new Module(file, parent);
    Object.assign(this, codeOf(source));
    this.#read();
  }

  get isEntryFile() {
    return /(?:^|\/)(?:lib|mod)\.rs$/.test(this.file);
  }

  /** No arrow's end. */
  get isEntry() {
    return this.isEntryFile && this.definesNothing;
  }

  #read() {
    const { tokens } = this;
    /** The module at hand, and the depth of braces at which its items stand. */
    let here = { module: this.module, depth: 0 };
    const outer = [];
    let depth = 0;
    let isPublic = false;
    for (let i = 0; i < tokens.length; ) {
      const { text, isName } = tokens[i];
      const next = tokens[i + 1];
      const wasPublic = isPublic;
      isPublic = false;
      if (text === '{') {
        depth++;
        i++;
      } else if (text === '}') {
        depth--;
        if (outer.length > 0 && depth < here.depth) here = outer.pop();
        i++;
      } else if (text === 'pub') {
        isPublic = true;
        i = next?.text === '(' && /^(?:crate|super|self|in)$/.test(tokens[i + 2]?.text) ? behindGroup(tokens, i + 1) : i + 1;
      } else if (text === 'use' && (next?.isName || ['{', '::', '$'].includes(next?.text))) {
        i = this.#readUse(i + 1, here.module, wasPublic);
      } else if (text === 'mod' && next?.isName && tokens[i + 2]?.text === ';') {
        this.children.push({ name: next.text, line: next.line, module: here.module });
        i += 3;
      } else if (text === 'mod' && next?.isName && tokens[i + 2]?.text === '{') {
        const module = new Module(this.file, here.module);
        here.module.add(next.text, { module });
        this.definesNothing = false;
        outer.push(here);
        here = { module, depth: ++depth };
        i += 3;
      } else if (text === 'macro_rules' && next?.text === '!') {
        this.#define(tokens[i + 2].text, here.module);
        i += 3;
      } else if (DEFINES.has(text) && depth === here.depth && next?.isName && !DEFINES.has(next.text)) {
        const name = next.text === 'mut' ? tokens[i + 2] : next;
        if (!['unsafe', 'extern'].includes(name.text)) this.#define(name.text, here.module);
        i += 2;
      } else if (isName && tokens[i - 1]?.text === '$' && text !== 'crate') {
        i++;
      } else if (isName) {
        if (text === 'impl') this.definesNothing = false;
        i = this.#readPath(i, here.module);
      } else {
        i++;
      }
    }
  }

  #define(name, module) {
    module.add(name, { isOwn: true });
    this.definesNothing = false;
  }

  #readPath(start, module) {
    const { tokens } = this;
    const names = [tokens[start].text];
    let i = start + 1;
    while (tokens[i]?.text === '::' && tokens[i + 1]?.isName) {
      names.push(tokens[i + 1].text);
      i += 2;
    }
    this.usedNames.add(names[0]);
    if (names.length > 1 && tokens[start - 1]?.text !== '::') {
      this.paths.push({ path: names, line: tokens[start].line, module });
    }
    return i;
  }

  /** A tree of `use`; gives the index behind it. */
  #readUse(start, module, isPublic, prefix = []) {
    const { tokens } = this;
    const names = [...prefix];
    let i = start;
    while (i < tokens.length) {
      const { text, isName, line } = tokens[i];
      if (text === '{') {
        i++;
        while (tokens[i].text !== '}') {
          i = this.#readUse(i, module, isPublic, names);
          if (tokens[i].text === ',') i++;
        }
        return i + 1;
      }
      if (text === '*') {
        module.globs.push({ path: names, line });
        return i + 1;
      }
      if (text === '::' || text === '$') {
        i++;
      } else if (isName) {
        // `a::{self}` is `a`.
        if (text !== 'self' || names.length === 0) names.push(text);
        i++;
        if (tokens[i]?.text === 'as') {
          this.#import(names, tokens[i + 1].text, line, module, isPublic);
          return i + 2;
        }
        if (tokens[i]?.text !== '::') {
          this.#import(names, names.at(-1), line, module, isPublic);
          return i;
        }
      } else {
        return i;
      }
    }
    return i;
  }

  #import(names, alias, line, module, isReexport) {
    if (alias !== '_') module.add(alias, { path: names });
    this.paths.push({ path: names, line, module, alias, isReexport });
  }
}

/** What a path names, seen from a module: `{ module }`, `{ definedIn: module }`, or null where it is none of ours. */
function resolve(module, names, asked = new Set()) {
  let at = { module };
  let i = 0;
  if (names[0] === 'crate') {
    at = { module: module.root };
    i = 1;
  } else if (names[0] === 'self') {
    i = 1;
  }
  for (; names[i] === 'super'; i++) at = { module: at.module.parent ?? at.module };
  for (let isFirst = i === 0; i < names.length && at.module !== undefined; i++, isFirst = false) {
    const found = lookUp(at.module, names[i], asked);
    if (found === null && isFirst) return null;
    if (found?.isExternal) return null;
    at = found ?? { definedIn: at.module };
  }
  return at;
}

function lookUp(module, name, asked) {
  const question = asked;
  for (const { key, of } of question) if (key === name && of === module) return null;
  question.add({ key: name, of: module });
  const what = module.names.get(name);
  if (what?.module !== undefined) return what;
  if (what?.isOwn) return { definedIn: module };
  if (what !== undefined) return resolve(module, what.path, asked) ?? { isExternal: true };
  for (const glob of module.globs) {
    const from = resolve(module, glob.path, asked)?.module;
    const found = from === undefined || from === module ? null : lookUp(from, name, asked);
    if (found !== null) return found;
  }
  return null;
}

/**
 * @param {Map<string, string>} sources path -> text, for all files of the tree
 * @returns {{ language: string, files: string[], arrows: object[], faults: object[], words: object[] }} without test
 *   files; `words` are attributes, and paths into other crates
 */
function rustGraph(sources) {
  const files = new Map();
  const faults = [];
  const tests = new Set();
  const ROOT = 'src/lib.rs';

  function open(file, parent) {
    const read = new File(sources.get(file), file, parent);
    files.set(file, read);
    const folder = read.isEntryFile ? path.dirname(file) : file.replace(/\.rs$/, '');
    const fileOf = (name) => [`${folder}/${name}.rs`, `${folder}/${name}/mod.rs`].find((it) => sources.has(it));
    for (const { name, line, module } of read.children) {
      const child = fileOf(name);
      if (child === undefined) faults.push({ file, line, text: `mod ${name}: there is no such file` });
      else module.add(name, { module: open(child, module).module });
    }
    for (const name of read.testModules) if (fileOf(name)) tests.add(fileOf(name));
    return read;
  }

  if (!sources.has(ROOT)) return { language: 'rust', files: [], arrows: [], faults, words: [] };
  open(ROOT);
  for (const file of sources.keys()) {
    if (!file.startsWith('src/') || !file.endsWith('.rs') || files.has(file)) continue;
    const isOfTest = [...tests].some((test) => file === test || file.startsWith(test.replace(/(?:\/mod)?\.rs$/, '/')));
    if (!isOfTest) faults.push({ file, line: 1, text: 'no `mod` names this file' });
  }

  const arrows = [];
  const words = [];
  for (const read of files.values()) {
    if (read.isTest) continue;
    for (const attribute of read.attributes) words.push({ file: read.file, ...attribute });
    const seen = new Set();
    const add = (module, names, line) => {
      const found = resolve(module, names);
      const to = found?.definedIn?.file ?? found?.module?.file;
      if (to === undefined || to === read.file || seen.has(to)) return;
      // The paths that start with the module's name tell what is used of it.
      if (found.module !== undefined && files.get(to).isEntry) return;
      seen.add(to);
      arrows.push({ from: read.file, to, line, text: names.join('::') });
    };
    for (const { path: names, line, module, alias, isReexport } of read.paths) {
      if (resolve(module, names) === null) words.push({ file: read.file, line, text: names.join('::') });
      const isOwnFolder = () => {
        const found = resolve(module, names);
        const to = found?.definedIn?.file ?? found?.module?.file;
        return to?.startsWith(`${path.dirname(read.file)}/`);
      };
      if (isReexport && read.isEntryFile && !read.usedNames.has(alias) && isOwnFolder()) continue;
      add(module, names, line);
    }
    const modules = [read.module];
    for (const module of modules) {
      for (const { module: inner } of module.names.values()) if (inner?.file === read.file) modules.push(inner);
      for (const glob of module.globs) {
        const from = resolve(module, glob.path)?.module;
        if (from === undefined || from.file === read.file) continue;
        for (const name of read.usedNames) if (from.names.has(name)) add(module, [...glob.path, name], glob.line);
      }
    }
  }
  return { language: 'rust', files: [...files.values()].filter((it) => !it.isTest).map((it) => it.file), arrows, faults, words };
}

module.exports = { rustGraph };
