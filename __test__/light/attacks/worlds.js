'use strict';

/** Prototypes that are played with, and ways out. `gives`: the result; `throws`: the class of what the code throws. */

const TYPE = 'TypeError';

const PROTOTYPES = [
  { source: "() => { Object.prototype.x = 1; Array.prototype[Symbol.iterator] = null; return [1, { a: 2 }] }", gives: [1, { a: 2 }] },
  { source: "() => { Object.defineProperty(Object.prototype, 'value', { get() { throw 1 } }); return { b: 1 } }", gives: { b: 1 } },
  { source: '() => { Promise.prototype.then = () => { throw 1 }; return Promise.resolve(5) }', gives: 5 },
  { source: 'async () => { Promise.prototype.then = null; return 5 }', gives: 5 },
  { source: '() => { Error.prototype.toString = () => { throw 1 }; throw new RangeError("r") }', throws: 'RangeError' },
  { source: '() => { Object.defineProperty(Array.prototype, 0, { set() { throw 1 }, get() { return 9 } }); return [5, 6] }', gives: [5, 6] },
  { source: '() => { Map.prototype.forEach = null; Map.prototype.entries = null; return new Map([[1, 2]]) }', gives: new Map([[1, 2]]) },
  { source: '() => { Set.prototype.forEach = null; return new Set([1]) }', gives: new Set([1]) },
  { source: '() => { Date.prototype.getTime = () => 0; return new Date(5) }', gives: new Date(5) },
  { source: '() => { BigInt.prototype.toString = () => "no"; return 2n ** 70n }', gives: 2n ** 70n },
  { source: '() => { Reflect.apply = Reflect.ownKeys = null; Function.prototype.call = null; return new Map([[{ a: 1 }, 1]]).size }', gives: 1 },
  { source: '() => { String.prototype.slice = () => { throw new Error("poisoned") }; throw new TypeError("t") }', throws: TYPE },
  { source: '() => ({ [Symbol.toPrimitive]() { throw 1 }, a: 1 })', gives: { a: 1 } },
  { source: '() => ({ constructor: null, hasOwnProperty: 1, toString: 2 })', gives: { constructor: null, hasOwnProperty: 1, toString: 2 } },
  { source: '() => JSON.parse(\'{"__proto__": {"a": 1}, "b": 2}\')', gives: JSON.parse('{"__proto__": {"a": 1}, "b": 2}') },
  { source: '() => { const a = []; a.constructor = { [Symbol.species]: 5 }; return a.map((x) => x) }', throws: TYPE },
  { source: '() => { globalThis.undefined2 = 1; globalThis.Array = globalThis.Object = null; return [{ a: 1 }] }', gives: [{ a: 1 }] },
  { source: '() => { Object.freeze(globalThis); Object.freeze(Object.prototype); return 1 }', gives: 1 },
  { source: '() => { for (const name of Reflect.ownKeys(globalThis)) { try { delete globalThis[name] } catch {} } return [1] }', gives: [1] },
  { source: '() => { Object.setPrototypeOf(Object.prototype, null); Object.setPrototypeOf(Array.prototype, null); return [1] }', gives: [1] },
];

const compiled = (expression) => ({ source: `() => ${expression}`, throws: TYPE });

const ESCAPES = [
  compiled("eval('1')"),
  compiled("(0, eval)('1')"),
  compiled("new Function('return this')()"),
  compiled("(() => {}).constructor.constructor('return process')()"),
  compiled("Object.getPrototypeOf(async () => {}).constructor('return 1')"),
  compiled("Object.getPrototypeOf(function* () {}).constructor('yield 1')"),
  compiled("Object.getPrototypeOf(async function* () {}).constructor('yield 1')"),
  compiled("[].constructor.constructor('return 1')()"),
  compiled("Reflect.construct(Function, ['return 1'])"),
  compiled("console.log.constructor('return 1')()"),
  compiled("progress.constructor('return 1')()"),
  compiled("new (class extends Function { constructor() { super('return 1') } })()"),
  { source: "() => import('node:fs').then((fs) => 'escaped', (error) => 'refused')", gives: 'refused' },
  {
    source: "() => ['process', 'require', 'module', 'std', 'os', 'bjson', 'fetch', 'setTimeout', 'WebAssembly', 'print', 'load', 'gc'].filter((n) => n in globalThis)",
    gives: [],
  },
  { source: '() => { try { return f.caller } catch { return "refused" } }', gives: 'refused' },
  { source: '() => { try { return (function () { return arguments.callee })() } catch { return "refused" } }', gives: 'refused' },
  { source: '() => { Error.prepareStackTrace = (e, sites) => sites; return String(new Error("x").stack).includes("/") }', gives: false },
  { source: '() => { new FinalizationRegistry(() => { throw 1 }).register({}, 1); const o = {}; return new WeakRef(o).deref() === o }', gives: true },
  { source: '() => (function () { return this })()', gives: undefined },
  { source: '() => Date.now()', throws: TYPE },
  { source: '() => new Date()', throws: TYPE },
  { source: '() => Object.getPrototypeOf(new Date(0)).constructor.now()', throws: TYPE },
  { source: '() => Math.random()', throws: TYPE },
  { source: '() => Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)', throws: TYPE },
];

module.exports = { ESCAPES, PROTOTYPES };
