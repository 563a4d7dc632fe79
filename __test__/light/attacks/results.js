'use strict';

/** What comes out: as it is, or refused with the place. `code`: of the error that refuses it. */

const UNSUPPORTED = 'ERR_RW_UNSUPPORTED_VALUE';
const CYCLIC = 'ERR_RW_CYCLIC_VALUE';
const DEEP = 'ERR_RW_VALUE_TOO_DEEP';
const LARGE = ['ERR_RW_VALUE_TOO_LARGE', 'ERR_RW_LIGHT_MEMORY'];

const RESULTS = [
  { source: '() => { const a = {}; a.a = a; return a }', code: CYCLIC },
  { source: '() => { const m = new Map(); m.set(m, 1); return m }', code: CYCLIC },
  { source: '() => { const e = new Error("x"); e.cause = e; return e }', code: CYCLIC },
  { source: '() => { let a = 1; for (let i = 0; i < 300; i++) a = [a]; return a }', code: DEEP },
  { source: '() => { let a = 1; for (let i = 0; i < 1e4; i++) a = { a }; return a }', code: DEEP },
  { source: '() => { let a = [1]; for (let i = 0; i < 40; i++) a = [a, a]; return a }', codes: LARGE },
  { source: '() => new Array(2 ** 32 - 1)', codes: LARGE },
  { source: '() => () => 1', code: UNSUPPORTED },
  { source: '() => [1, { a: Symbol("x") }]', code: UNSUPPORTED },
  { source: '() => new Proxy({}, {})', code: UNSUPPORTED },
  { source: '() => { const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return proxy }', code: UNSUPPORTED },
  { source: '() => ({ a: new WeakMap() })', code: UNSUPPORTED },
  { source: '() => [Promise.resolve(1)]', code: UNSUPPORTED },
  { source: '() => new SharedArrayBuffer(8)', code: UNSUPPORTED },
  { source: '() => new Promise(() => {})', code: 'ERR_RW_LIGHT_UNSETTLED' },
  { source: '() => ({ then() {} })', code: UNSUPPORTED },
  { source: '() => ({ get a() { throw new RangeError("mine") } })', throws: 'RangeError' },
  { source: '() => ({ get a() { delete this.b; return 1 }, b: 2 })', gives: { a: 1, b: undefined } },
  { source: '() => { const a = [1, 2, 3]; Object.defineProperty(a, 0, { get() { a.length = 1; return 9 } }); return a }', gives: [9, undefined, undefined] },
  { source: '() => [-0, NaN, Infinity, 2 ** 53, 5e-324]', gives: [-0, NaN, Infinity, 2 ** 53, 5e-324] },
  { source: '() => [1, , 3]', gives: [1, undefined, 3] },
  { source: "() => ['\\ud800', 'a\\udc00b', '\\u{1f600}', '\\0']", gives: ['\ud800', 'a\udc00b', '\u{1f600}', '\0'] },
  { source: '() => { const b = new Uint8Array([1, 2, 3]); b.buffer.transfer(); return b.length }', gives: 0 },
  { source: '() => { const b = new ArrayBuffer(8, { maxByteLength: 64 }); const v = new Uint8Array(b, 4); b.resize(2); return v.length }', gives: 0 },
  { source: '() => { const b = new ArrayBuffer(8); b.transfer(); return b.byteLength }', gives: 0 },
  { source: '() => new Uint8Array([1, 2, 3, 4]).subarray(1, 3)', gives: new Uint8Array([2, 3]) },
  { source: '() => [undefined, null, true, 1n, -(2n ** 64n), 2n ** 200n]', gives: [undefined, null, true, 1n, -(2n ** 64n), 2n ** 200n] },
  { source: '() => Object.assign(Object.create(null), { a: 1 })', gives: { a: 1 } },
  { source: '() => [new Date(8.64e15), new Date(-1)]', gives: [new Date(8.64e15), new Date(-1)] },
  { source: '() => { class A { #p = 1; q = 2 } return new A() }', gives: { q: 2 } },
  { source: '() => { throw null }', thrown: null },
  { source: '() => { throw [1, 2] }', thrown: [1, 2] },
  { source: '() => Promise.reject(new TypeError("t"))', throws: 'TypeError' },
  { source: '() => { Promise.reject(new TypeError("nobody sees it")); return 1 }', throws: 'TypeError' },
  { source: 'async () => { await Promise.reject(new SyntaxError("s")) }', throws: 'SyntaxError' },
  { source: '() => { const e = new Error("x"); Object.defineProperty(e, "name", { get() { throw 1 } }); throw e }', any: true },
  { source: '() => { const e = new Error("x"); e.stack = { toString() { throw 2 } }; throw e }', any: true },
  { source: '() => { throw new Proxy(new Error("x"), { get() { throw 3 } }) }', any: true },
  { source: '() => { throw { toString() { throw 4 } } }', any: true },
  { source: '() => { throw Symbol("s") }', any: true },
  { source: '() => { throw () => 1 }', any: true },
];

/** Faults that QuickJS had: none of these may do more than throw. */
const KNOWN = [
  // quickjs-ng #1208, #1301, #1302: memory that is moved while a call looks at it.
  '() => { const b = new ArrayBuffer(64), t = new Uint8Array(b); b.transfer(); return t[0] }',
  '() => { const b = new ArrayBuffer(1024, { maxByteLength: 1 << 20 }), t = new Int32Array(b); return Atomics.store(t, 0, { valueOf() { b.resize(0); return 1 } }) }',
  '() => { const b = new ArrayBuffer(1024, { maxByteLength: 1 << 20 }), t = new Int32Array(b); return Atomics.add(t, 0, { valueOf() { b.resize(0); return 1 } }) }',
  '() => { const b = new ArrayBuffer(1024, { maxByteLength: 1 << 20 }), t = new Int32Array(b); return Atomics.compareExchange(t, 0, 0, { valueOf() { b.resize(1 << 20); return 1 } }) }',
  // #1297: a comparator that shrinks what is sorted.
  '() => { for (let at = 100; at < 2000; at += 37) { const b = new ArrayBuffer(256, { maxByteLength: 2560 }), t = new Uint8Array(b); t.set(t.map((_, i) => i)); t[255] = 0; let n = 0; t.sort((x, y) => { if (++n === at) b.resize(10); return x - y }) } }',
  // #1296, #1305: a constructor whose prototype's getter shrinks the source.
  '() => { const b = new ArrayBuffer(512, { maxByteLength: 1024 }); const n = new Proxy(function () {}, { get(t, k) { if (k === "prototype") b.resize(0); return t[k] } }); return Reflect.construct(Uint8Array, [b, 0, 256], n).length }',
  '() => { const b = new ArrayBuffer(512, { maxByteLength: 1024 }), s = new Uint8Array(b); const n = new Proxy(function () {}, { get(t, k) { if (k === "prototype") b.resize(0); return t[k] } }); return Reflect.construct(Uint16Array, [s], n).length }',
  // #1368, #1440: Iterator.concat that is called from itself.
  '() => { let c; const it = { [Symbol.iterator]: () => ({ next() { c.return(); return { done: true } } }) }; c = Iterator.concat(it, it); return c.next().done }',
  '() => { let c; const it = { [Symbol.iterator]: () => ({ next() { return c.next() } }) }; c = Iterator.concat(it, it); return c.next().done }',
  // 05b2db9, after 0.16.2: an AsyncDisposableStack whose reject handler takes nothing.
  'async () => { const s = new AsyncDisposableStack(); s.defer(async () => { throw 1 }); s.defer(() => { throw 2 }); s.use({ async [Symbol.asyncDispose]() { throw 3 } }); try { await s.disposeAsync() } catch { return 1 } }',
  'async () => { const s = new AsyncDisposableStack(); let p; s.defer({ then(a, r) { p = r; r() } }.then); try { await s.disposeAsync() } catch {} return 1 }',
  // Arrays that change under what walks over them.
  '() => { const a = Array.from({ length: 1000 }, (_, i) => i); a.sort((x, y) => { a.length = 0; a.push(1); return x - y }); return a.length }',
  '() => { const a = [1, 2, 3, 4]; return a.map((x, i) => { if (i === 0) { a.length = 0; a.length = 1e5 } return x }).length }',
  '() => { const a = [1, 2, 3]; a[1] = { toString() { a.length = 0; for (let i = 0; i < 1e4; i++) a.push({}); return "" } }; return a.join().length > 0 }',
  '() => { const a = [[1], [2]]; return a.concat(new Proxy([], { get(t, k) { a.length = 0; return k === "length" ? 5 : t[k] }, has: () => true })).length }',
  '() => { const t = new Float64Array(new ArrayBuffer(800, { maxByteLength: 1600 })); return t.fill({ valueOf() { t.buffer.resize(8); return 1 } }).length }',
  '() => { const t = new Uint8Array(new ArrayBuffer(800, { maxByteLength: 1600 })); return t.subarray({ valueOf() { t.buffer.resize(8); return 0 } }, 700).length }',
  '() => { const t = new Uint8Array(new ArrayBuffer(800, { maxByteLength: 1600 })); t.set({ length: 100, get 0() { t.buffer.resize(8); return 1 } }, 600) }',
  '() => { const t = new Uint8Array(new ArrayBuffer(800, { maxByteLength: 1600 })); return t.with(700, { valueOf() { t.buffer.resize(8); return 1 } }).length }',
  '() => { const m = new Map([[1, 1], [2, 2]]); let n = 0; m.forEach((v, k) => { m.delete(k); if (n++ < 1e4) m.set({}, 1) }); return m.size }',
  '() => { const s = new Set([1, 2, 3]); return s.isSubsetOf({ size: 5, has() { s.clear(); return true }, keys() {} }) }',
  '() => { const r = /a/g; return "aaaa".replace(r, () => { r.compile("(b)".repeat(50)); return "c" }) }',
  '() => { const r = /(a)/y; r.exec = () => ({ get index() { r.lastIndex = 1e9; return -5 }, length: 2 ** 32, 0: "" }); return "aaa".replace(r, "b") }',
  '() => { const d = new DataView(new ArrayBuffer(64, { maxByteLength: 128 })); d.setFloat64(50, { valueOf() { d.buffer.resize(1); return 1 } }) }',
  '() => { const o = {}; for (let i = 0; i < 100; i++) o["k" + i] = i; for (const k in o) { for (const j in o) delete o[j]; o.z = 1 } return Object.keys(o).length }',
  '() => { const g = (function* () { try { yield 1 } finally { g.return(2) } })(); g.next(); g.return(3) }',
  '() => { let o = { valueOf() { o = null; return 1n } }; return BigInt.asIntN(2 ** 53 - 1, 1n) + BigInt.asUintN(64, -1n) }',
  '() => Array.from({ length: 65535 }, (_, i) => i).reduce((f, i) => f) + String.fromCharCode(...new Array(65535).fill(65)).length',
];

module.exports = { KNOWN, RESULTS };
