'use strict';

const { ObjectPrototype, SafeMap, append, define, isArray } = require('../runtime/intrinsics');
const { isWellFormed } = require('./write-buffer');

const { stringify } = JSON;

// Objects of the same keys in the same order share a shape: the wire then carries the shape's number and the
// values alone. A key list earns a number when it has been seen a few times here, so that objects used as
// dictionaries do not eat up the process-wide table (which is bounded and never forgets).

const { MAX_SHAPE_KEYS: MAX_KEYS, MAX_SHAPE_KEY_BYTES } = require('../constants').VALUES;
/** In UTF-16 units, which fit in any encoding. */
const MAX_KEY_LENGTH = MAX_SHAPE_KEY_BYTES / 4;
const SIGHTS_BEFORE_INTERN = 3;
const USES_BEFORE_COMPILE = 8;
const MAX_NODES = 32768;

// Code from strings may be switched off (--disallow-code-generation-from-strings); plain loops serve then.
function compile(args, body) {
  try {
    return new Function(...args, `'use strict';\n${body}`);
  } catch {
    return null;
  }
}

/** One step of the trie of key lists; `key` and `next` remember the step taken last. */
class Node {
  key = '';
  next = null;
  steps = null;
  shape = null;
  sights = 0;

  step(key) {
    if (this.steps === null) return null;
    const next = this.steps.get(key);
    if (next === undefined) return null;
    this.key = key;
    this.next = next;
    return next;
  }

  grow(key) {
    const next = new Node();
    (this.steps ??= new SafeMap()).set(key, next);
    this.key = key;
    this.next = next;
    return next;
  }
}

/** A shape as the writer uses it. */
class WriteShape {
  id;
  keys;
  uses = 0;
  /** (writer, object, start of the object on the wire) → writes the values */
  compiled = null;

  constructor(id, keys) {
    this.id = id;
    this.keys = keys;
  }

  compile() {
    const lines = this.keys.map((key) => {
      const name = stringify(key);
      // A key that was deleted meanwhile must not be found on the prototype.
      if (key in ObjectPrototype) return `if (has(o, ${name})) w.any(o[${name}]); else w.hole(at);`;
      return `x = o[${name}];
if (typeof x === 'number') w.number(x);
else if (typeof x === 'string') w.string(x);
else if (x === undefined) w.maybeHole(o, ${name}, at);
else w.any(x);`;
    });
    const make = compile(['has'], `return (w, o, at) => {\nlet x;\n${lines.join('\n')}\n};`);
    this.compiled = make === null ? null : make(Object.hasOwn);
  }
}

/** Key list → shape, for the writers of one thread. */
class WriteShapes {
  #provider;
  #nodes = 0;
  #known = [];

  constructor(provider) {
    this.#provider = provider;
    this.root = new Node();
  }

  /**
   * The shape of an object with these keys, or null when it has none (yet).
   * @param {string[]} keys own enumerable string keys, in order
   */
  find(keys) {
    let node = this.root;
    const count = keys.length;
    for (let i = 0; i < count; i++) {
      const key = keys[i];
      const next = node.key === key && node.next !== null ? node.next : node.step(key);
      if (next === null) return this.#learn(keys);
      node = next;
    }
    const shape = node.shape;
    if (shape !== null) {
      if (++shape.uses === USES_BEFORE_COMPILE) shape.compile();
      return shape;
    }
    return this.#promote(node, keys);
  }

  /** The same, and nothing is learned from the question. */
  known(keys) {
    let node = this.root;
    for (let i = 0; i < keys.length && node !== null; i++) node = node.step(keys[i]);
    return node === null ? null : node.shape;
  }

  #learn(keys) {
    if (keys.length === 0 || keys.length > MAX_KEYS) return null;
    if (this.#nodes + keys.length > MAX_NODES) this.#forget();
    this.#path(keys).sights = 1;
    return null;
  }

  #path(keys) {
    let node = this.root;
    for (const key of keys) {
      let next = node.step(key);
      if (next === null) {
        next = node.grow(key);
        this.#nodes++;
      }
      node = next;
    }
    return node;
  }

  #promote(node, keys) {
    if (node.sights < 0 || ++node.sights < SIGHTS_BEFORE_INTERN) return null;
    node.sights = -1;
    // The table keeps keys as Unicode text: a lone surrogate would not come back.
    for (const key of keys) if (key.length > MAX_KEY_LENGTH || !isWellFormed(key)) return null;
    const id = this.#provider.intern(keys);
    if (id < 0) return null;
    node.shape = new WriteShape(id, keys);
    append(this.#known, node.shape);
    return node.shape;
  }

  // Too many different key lists went by: begin again with those that have a number.
  #forget() {
    this.root = new Node();
    this.#nodes = 0;
    for (const shape of this.#known) this.#path(shape.keys).shape = shape;
  }
}

/** A shape as the reader uses it. */
class ReadShape {
  keys;
  uses = 0;
  /** reader → object; null until the shape has been used a few times */
  make = null;
  /** The same where others may refer to the object before it is complete. */
  makeInGraph = null;

  constructor(keys) {
    this.keys = keys;
  }

  compile() {
    // A literal defines its properties. A computed key, because `__proto__:` would set the prototype instead.
    const literal = (value) => this.keys.map((key) =>
      `${key === '__proto__' ? `['__proto__']` : stringify(key)}: ${value}`).join(', ');
    this.make = compile(['r'], `return { ${literal('r.any()')} };`);
    // Stores to properties that are there, own ones, ask no prototype.
    const stores = this.keys.map((key) => `o[${stringify(key)}] = r.any();`).join('\n');
    this.makeInGraph = compile(['r'],
      `const o = { ${literal('undefined')} };\nr.fill(r.reserve(), o);\n${stores}\nreturn o;`);
  }
}

/** Shape number → shape, for the readers of one thread. */
class ReadShapes {
  #provider;
  #shapes = [];

  constructor(provider) {
    this.#provider = provider;
  }

  /** The shape with this number, or null. */
  get(id) {
    const shape = id < this.#shapes.length ? this.#shapes[id] : undefined;
    return shape !== undefined ? shape : this.#fetch(id);
  }

  /** Counts a use. */
  used(shape) {
    if (++shape.uses === USES_BEFORE_COMPILE) shape.compile();
  }

  #fetch(id) {
    const keys = this.#provider.keys(id);
    if (!isArray(keys)) return null;
    // Ids are dense and bounded by the table's size, so this array stays packed enough.
    while (this.#shapes.length < id) append(this.#shapes, undefined);
    const shape = new ReadShape(keys);
    define(this.#shapes, id, shape);
    return shape;
  }
}

/** Shapes within one process without the native table: for tests. */
class LocalShapes {
  #ids = new SafeMap();
  #keys = [];
  #capacity;

  constructor(capacity = 4096) {
    this.#capacity = capacity;
  }

  intern(keys) {
    const text = JSON.stringify(keys);
    let id = this.#ids.get(text);
    if (id === undefined) {
      if (this.#keys.length === this.#capacity) return -1;
      id = this.#keys.length;
      append(this.#keys, keys);
      this.#ids.set(text, id);
    }
    return id;
  }

  keys(id) {
    return id < this.#keys.length ? this.#keys[id] : undefined;
  }
}

module.exports = { WriteShapes, ReadShapes, LocalShapes, compile };
