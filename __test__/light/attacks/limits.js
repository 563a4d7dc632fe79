'use strict';

/** Depth, memory and time: each ends in the error of its limit. `orThrows`: the language's own error will do, too. */

const STACK = 'ERR_RW_LIGHT_STACK';
const MEMORY = 'ERR_RW_LIGHT_MEMORY';

const deep = (source, more) => ({ source, code: STACK, ...more });
const chain = (build, use, count = 1e5) =>
  // A chain may be longer than there is memory for.
  deep(`() => { let v = {}; for (let i = 0; i < ${count}; i++) { const p = v; v = ${build} } return ${use} }`, { codes: [STACK, MEMORY] });

const DEPTH = [
  deep('() => { const f = () => f() + 1; return f() }'),
  deep('() => { const f = (...all) => f(...all, 1); return f() }', { orThrows: true }),
  deep("() => JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))"),
  deep("() => JSON.parse('{\"a\":'.repeat(1e5))"),
  deep('() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return JSON.stringify(a) }', { codes: [STACK, MEMORY] }),
  deep('() => JSON.parse("[1]", function r() { return JSON.parse("[1]", r) })'),
  deep("() => new RegExp('(?:a'.repeat(1e5) + ')'.repeat(1e5))", { orThrows: true }),
  deep("() => new RegExp('('.repeat(1e5) + ')'.repeat(1e5))", { orThrows: true }),
  deep("() => new RegExp('(?='.repeat(1e5) + ')'.repeat(1e5))", { orThrows: true }),
  deep("() => new RegExp('['.repeat(1e5) + ']'.repeat(1e5), 'v')", { orThrows: true }),
  deep("() => { const o = { toString() { return '' + o } }; return '' + o }"),
  deep('() => { const o = { [Symbol.toPrimitive]() { return +o } }; return +o }'),
  deep('() => { const o = { get x() { return this.x } }; return o.x }'),
  deep('() => { const o = { set x(v) { this.x = v } }; o.x = 1 }'),
  deep('() => { const p = new Proxy({}, { get(t, k, r) { return r[k] } }); return p.x }'),
  deep('() => [3, 2, 1].sort(function c() { return [2, 1].sort(c) })'),
  deep("() => 'a'.replace(/a/, function r() { return 'a'.replace(/a/, r) })"),
  deep('() => { class A { constructor() { new A() } } new A() }'),
  deep('() => { function* g() { yield* g() } return [...g()] }'),
  deep('() => { const t = (s) => t`${s}`; return t`x` }'),
  deep('() => { const a = []; a[0] = a; return a.flat(Infinity) }'),
  deep('() => Reflect.construct(function C() { return Reflect.construct(C, []) }, [])'),
  deep('() => { const d = (n) => { using x = { [Symbol.dispose]() { d(n + 1) } } }; d(0) }', { orThrows: true, mayNotCompile: true }),
  chain('new Proxy(p, {})', 'v.x'),
  chain('new Proxy(p, {})', "'x' in v"),
  chain('new Proxy(p, {})', 'Object.keys(v).length'),
  chain('new Proxy(p, {})', 'Object.getPrototypeOf(v)'),
  chain('new Proxy({}, p)', 'v.x'),
  chain('p.bind ? p.bind() : (() => 1).bind()', 'v()'),
  chain('p.bind ? p.bind() : (() => 1).bind()', 'new v()'),
  chain('p.next ? p.map((x) => x) : [1].values()', 'v.next()'),
  chain('p.next ? p.filter(() => true) : [1].values()', 'v.next()'),
  chain('p.next ? p.take(5) : [1].values()', 'v.next()'),
  chain('p.next ? p.drop(0) : [1].values()', '[...v]'),
  chain('p.next ? p.flatMap((x) => [x]) : [1].values()', 'v.next()'),
  chain('p.next ? p.map((x) => x) : [1].values()', 'v.return()'),
  chain('p.next ? Iterator.concat(p) : [1].values()', 'v.next()'),
  chain('class extends (p.call ? p : Object) {}', 'new v()', 3e4),
  chain('({ [Symbol.iterator]() { return p[Symbol.iterator]() } })', '[...v]'),
  chain('({ __proto__: p, get x() { return super.x } })', 'v.x', 2e4),
];

const hungry = (source, more) => ({ source, code: MEMORY, ...more });

const HUNGER = [
  hungry("() => { let s = 'x'; for (;;) s += s }", { orThrows: true }),
  hungry("() => { let s = 'x'; for (;;) s = s + 'yz' + s }", { orThrows: true }),
  hungry('() => { const a = []; for (;;) a.push({}) }'),
  hungry('() => { const a = []; for (let i = 0; ; i++) a.push(new Uint8Array(i)) }'),
  hungry('() => new Uint8Array(1e9)', { orThrows: true }),
  hungry('() => new ArrayBuffer(8, { maxByteLength: 1e9 }).resize(5e8)', { orThrows: true }),
  hungry('() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, i) }'),
  hungry("() => { const s = new Set(); for (let i = 0; ; i++) s.add('k' + i) }"),
  hungry('() => { let f = () => 0; for (;;) { const g = f; f = () => g } }'),
  hungry('() => { let p = Promise.resolve(); for (;;) p = p.then(() => p) }'),
  hungry('async () => { for (const all = []; ; ) all.push(Promise.reject(new Error("x"))) }'),
  hungry('() => { let n = 3n; for (;;) n = n * n }', { orThrows: true }),
  hungry("() => { for (let i = 0; ; i++) globalThis['v' + i] = Symbol('s' + i) }"),
  hungry('() => { for (let i = 0; ; i++) Symbol.for("s" + i + "x".repeat(100)) }', { stops: true }),
  hungry("() => 'x'.padEnd(2 ** 29)", { orThrows: true }),
  hungry('() => Array.from({ length: 1e9 })', { orThrows: true }),
  hungry('() => [...new Array(1e8)]', { orThrows: true }),
  hungry('() => new Array(1e8).fill(0)'),
  hungry("() => JSON.parse('[' + '{},'.repeat(1e6) + '1]')"),
  hungry("() => 'ab'.repeat(1e6).split('')"),
  hungry("() => /(.)*/.exec('x'.repeat(4e6))", { orThrows: true, orGives: true }),
  hungry('() => { const f = () => 1, all = []; for (;;) all.push(f.bind(1, 2, 3)) }'),
  hungry('() => { const all = []; for (;;) { try { all.push(new Error("x")) } catch (e) { all.push(e); throw e } } }'),
  hungry('() => { const all = []; for (;;) all.push(function* () { yield all }().next()) }'),
  hungry('() => { const all = []; for (;;) all.push([].values().map((x) => x)) }'),
  hungry('() => { const all = []; for (;;) all.push(new Proxy({}, {}), new WeakRef({}), new WeakMap([[{}, 1]])) }'),
  hungry('() => { const all = []; for (;;) all.push(class { #x = 1; static y = 2; get z() { return this.#x } }) }'),
  hungry('() => { const all = []; for (let i = 0; ; i++) all.push(new RegExp("(a|b)*" + i, "u")) }'),
  hungry('() => { const all = []; for (;;) all.push(new Date(0), [1.5], 2n ** 80n, `${all.length}`) }'),
  hungry('() => { const b = new ArrayBuffer(8, { maxByteLength: 4e6 }); const all = []; for (;;) { b.resize(4e6); all.push(b.slice(0)); b.resize(8) } }'),
];

/** Stopped by a signal while they run. */
const ENDLESS = [
  '() => { for (;;); }',
  '() => { for (;;) { try { for (;;); } catch {} finally { continue } } }',
  '() => { function* g() { for (;;) yield 1 } for (const x of g()); }',
  'async () => { for (;;) await 1 }',
  'async () => { for await (const x of (async function* () { for (;;) yield 1 })()); }',
  '() => { const p = Promise.resolve(); (function next() { p.then(next) })(); return new Promise(() => {}) }',
  '() => { const t = { then(r) { r(t) } }; return Promise.resolve(t) }',
  "() => /^(a+)+$/.test('a'.repeat(40) + '!')",
  "() => /(x+x+)+y/.exec('x'.repeat(60))",
  "() => 'a'.repeat(5e4).match(/a*b/g)",
  '() => { const f = () => 1; for (;;) f.bind(1, 2) }',
  '() => { for (;;) ({ a: [1, 2, { b: 3 }] }) }',
  "() => { for (;;) JSON.parse('{\"a\":[1,2,{\"b\":null}]}') }",
  "() => { for (let i = 0; ; i++) 'abc'.replace(/b/g, String).split('').join('-') }",
  '() => { for (;;) { try { new Array(1e6).fill("x").join("") } catch {} } }',
  '() => { for (;;) new (class { #x = 1; get y() { return this.#x } })().y }',
  '() => { for (;;) new Map([[1, new Set([2])]]).forEach(() => {}) }',
  '() => { for (;;) { try { null.x } catch (e) { new AggregateError([e], "m", { cause: e }).stack } } }',
  '() => { for (;;) [3, 1, 2].sort().map(String).filter(Boolean).reduce((a, b) => a + b) }',
  '() => { for (;;) [...[1, 2, 3].values().map((x) => x).filter(Boolean).take(2)] }',
  '() => { const { proxy } = Proxy.revocable({}, { get: () => 1 }); for (;;) proxy.x }',
  '() => { for (;;) BigInt.asUintN(64, 123456789n ** 9n).toString(7) }',
  '() => { for (;;) new Float64Array(100).fill(1).sort().toReversed() }',
  '() => ({ get a() { for (;;); } })',
  '() => new Proxy({}, { ownKeys() { for (;;); } })[Symbol.iterator] ?? Reflect.ownKeys(new Proxy({}, { ownKeys() { for (;;); } }))',
  '() => { throw { get message() { for (;;); } } }',
  '() => { const e = new Error("x"); Object.defineProperty(e, "stack", { get() { for (;;); } }); throw e }',
  '() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
  '() => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)',
  '() => Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, isFinite)',
  '() => Array.prototype.reduce.call({ length: 2 ** 53 - 1 }, isFinite, 0)',
  '() => new Set({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) })',
  '() => Math.max(...{ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) })',
];

module.exports = { DEPTH, ENDLESS, HUNGER };
