'use strict';

/**
 * Which file of `src/` imports which.
 *
 * An arrow runs to the file that defines the item: `crate::pool::Pool` is followed through the `mod` and `use` of
 * `pool/mod.rs` to `pool/threads.rs`. An entry file (lib.rs, mod.rs) that only declares and re-exports is no arrow's end,
 * and what it re-exports from its own folder is no arrow of it, unless its own code uses the name.
 *
 * What this reading cannot see: items that are used by method calls alone, without a path; names that a macro makes (they
 * count as items of the file that calls the macro); which of two `cfg`s holds. Test code is left out.
 */

const path = require('node:path').posix;

const { behindGroup, codeOf } = require('./rust-tokens');

const DEFINES = new Set(['fn', 'struct', 'enum', 'trait', 'union', 'type', 'const', 'static']);

class Module {
  /** name -> the module. Modules and other items are two namespaces: `mod fill` may hold and re-export a `fn fill`. */
  modules = new Map();
  /** name -> the path that a `use` gives it, or null where it is defined here */
  items = new Map();
  /** Paths whose names are all imported. */
  globs = [];

  constructor(file, parent) {
    this.file = file;
    this.parent = parent;
    this.root = parent?.root ?? this;
  }

  define(name) {
    this.items.set(name, null);
  }

  import(name, names) {
    // A macro may be re-exported by its own name.
    if (!this.items.has(name)) this.items.set(name, names);
  }
}

/** One file: its modules, and the paths that its code names. */
class File {
  /** `{ path, line, module, alias, isReexport }`: alias where a `use` names the path */
  paths = [];
  /** The first names of what code other than a `use` names. */
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
        const isRestricted = next?.text === '(' && ['crate', 'super', 'self', 'in'].includes(tokens[i + 2]?.text);
        i = isRestricted ? behindGroup(tokens, i + 1) : i + 1;
      } else if (text === 'use' && (next?.isName || ['{', '::', '$'].includes(next?.text))) {
        i = this.#readUse(i + 1, here.module, wasPublic);
      } else if (text === 'mod' && next?.isName && tokens[i + 2]?.text === ';') {
        this.children.push({ name: next.text, line: next.line, module: here.module });
        i += 3;
      } else if (text === 'mod' && next?.isName && tokens[i + 2]?.text === '{') {
        const module = new Module(this.file, here.module);
        here.module.modules.set(next.text, module);
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
        const isMacro = next?.text === '!' && tokens[i + 2]?.text !== '=';
        if (depth === here.depth && (text === 'impl' || isMacro)) this.definesNothing = false;
        i = this.#readPath(i, here.module);
      } else {
        i++;
      }
    }
  }

  #define(name, module) {
    module.define(name);
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
    if (alias !== '_') module.import(alias, names);
    this.paths.push({ path: names, line, module, alias, isReexport });
  }
}

/**
 * What a path names, seen from a module: `{ module }`, `{ definedIn: module }`, or null where it is none of ours.
 *
 * @param {boolean} wantsModule which of the two is meant, where the last name is both
 */
function resolve(module, names, wantsModule = false, asked = []) {
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
    const found = lookUp(at.module, names[i], wantsModule || i + 1 < names.length, asked);
    if (isFirst && (found === null || found.isForeign)) return null;
    at = found ?? { definedIn: at.module };
  }
  return at;
}

/**
 * What a name is in a module: as `resolve` has it, or null where the module does not have the name. What a module imports
 * from another crate (`isForeign`) counts as defined there: `crate::sync::Arc` is of sync.rs.
 */
function lookUp(module, name, wantsModule, asked) {
  if (asked.some((it) => it.module === module && it.name === name && it.wantsModule === wantsModule)) return null;
  const asking = [...asked, { module, name, wantsModule }];
  const inner = module.modules.get(name);
  if (inner !== undefined && (wantsModule || !module.items.has(name))) return { module: inner };
  const item = module.items.get(name);
  if (item === null) return { definedIn: module };
  if (item !== undefined) return resolve(module, item, wantsModule, asking) ?? { definedIn: module, isForeign: true };
  for (const glob of module.globs) {
    const from = resolve(module, glob.path, true, asking)?.module;
    const found = from === undefined || from === module ? null : lookUp(from, name, wantsModule, asking);
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
      else module.modules.set(name, open(child, module).module);
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
  const read = [...files.values()].filter((it) => !it.isTest);
  for (const it of read) {
    arrows.push(...arrowsOf(it, files));
    for (const attribute of it.attributes) words.push({ file: it.file, ...attribute });
    for (const { path: names, line, module } of it.paths) {
      if (resolve(module, names) === null) words.push({ file: it.file, line, text: names.join('::') });
    }
  }
  return { language: 'rust', files: read.map((it) => it.file), arrows, faults, words };
}

/** The arrows that begin at a file, one for each file that it imports. */
function arrowsOf(read, files) {
  const arrows = new Map();

  function targetOf(module, names) {
    const found = resolve(module, names);
    const to = (found?.definedIn ?? found?.module)?.file;
    // Of an entry that is imported itself, the paths that begin with its name tell what is used.
    return to === undefined || files.get(to).isEntry ? undefined : to;
  }

  function add(to, line, names) {
    if (to === undefined || to === read.file || arrows.has(to)) return;
    arrows.set(to, { from: read.file, to, line, text: names.join('::') });
  }

  for (const { path: names, line, module, alias, isReexport } of read.paths) {
    const to = targetOf(module, names);
    const isOfOwnFolder = to?.startsWith(`${path.dirname(read.file)}/`);
    if (isReexport && read.isEntryFile && isOfOwnFolder && !read.usedNames.has(alias)) continue;
    add(to, line, names);
  }
  for (const module of withInner(read.module)) {
    for (const glob of module.globs) {
      const from = resolve(module, glob.path, true)?.module;
      if (from === undefined || from.file === read.file) continue;
      for (const name of read.usedNames) {
        if (!from.items.has(name) && !from.modules.has(name)) continue;
        const names = [...glob.path, name];
        add(targetOf(module, names), glob.line, names);
      }
    }
  }
  return [...arrows.values()];
}

/** A module of a file, and those that stand in its braces. */
function withInner(module) {
  const inner = [...module.modules.values()].filter(({ file }) => file === module.file);
  return [module, ...inner.flatMap(withInner)];
}

module.exports = { rustGraph };
