//! Native loops of the interpreter: each row of the table in docs/light.md, and how soon a stop ends it.
#![allow(clippy::result_large_err)] // of a test
mod support;

use std::time::Duration;

use cpu_time::ThreadTime;
use rust_workers_abi::outcome;
use support::{Ended, Js, Run, Tenant, call, code, eval, result};

/// When the stop comes.
const WORK: Duration = Duration::from_millis(10);
/// How late a loop may end that asks: what the docs say, tenfold, since this is no optimized build.
const SOON: Duration = Duration::from_millis(50);
/// What one pass over all memory may take.
const PASS: Duration = Duration::from_millis(300);

/// Runs a source until it has had the thread for `WORK`. How late it ended after that, of the thread's own time.
fn run(source: &str) -> (Ended, Duration) {
    let id = Tenant::of(source).id();
    let from = ThreadTime::now();
    let run = Run { stop_after_work: Some((from, WORK)), ..Run::default() };
    let ended = call(&run, id, vec![]);
    let late = from.elapsed().saturating_sub(WORK);
    assert_eq!(eval("() => [3, 1, 2].sort().join()", vec![]), Ok(support::text("1,2,3")), "after {source}");
    (ended, late)
}

/// All are stopped, and none later than `bound`.
fn stops(bound: Duration, sources: &[&str]) {
    for source in sources {
        let (ended, late) = run(source);
        println!("{:7.2} ms late: {source}", late.as_secs_f64() * 1e3);
        assert_eq!(ended.outcome, outcome::STOPPED, "{source}: {ended:?}");
        assert!(late < bound, "{source}: {late:?} late");
    }
}

#[test]
fn elements_of_what_is_endless() {
    stops(
        SOON,
        &[
            "() => Array.prototype.join.call({ length: 2 ** 53 - 1 }, '')",
            "() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
            "() => Array.prototype.sort.call({ length: 2 ** 53 - 1 })",
            "() => Array.prototype.splice.call({ length: 2 ** 53 - 1 }, 0, 1)",
            "() => Array.prototype.shift.call({ length: 2 ** 53 - 1 })",
            "() => Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1)",
            "() => Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 1, 0)",
            "() => Array.prototype.slice.call({ length: 2 ** 32 - 1 }, 0)",
            "() => Array.prototype.flat.call({ length: 2 ** 53 - 1 })",
            "() => Array.prototype.flatMap.call({ length: 2 ** 53 - 1 }, (x) => x)",
            "() => Array.prototype.concat.call([], { length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true })",
            "() => Array.prototype.toLocaleString.call({ length: 2 ** 53 - 1 })",
            "() => Array.prototype.fill.call(new Proxy({ length: 2 ** 53 - 1 }, { set: () => true }), 1)",
            "() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
            "() => Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
            "() => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)",
            "() => Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, isFinite)",
            "() => new Array(2 ** 32 - 1).join()",
            "() => new Array(2 ** 32 - 1) + ''",
            "() => new Array(2 ** 32 - 1).sort()",
            "() => String.raw({ raw: { length: 2 ** 53 - 1, get 0() { return '' } } })",
            "() => JSON.stringify(new Proxy([], { get: (target, key) => (key === 'length' ? 2 ** 53 - 1 : undefined) }))",
            "() => { let a = []; for (let i = 0; i < 40; i++) a = [a, a]; return a.flat(Infinity) }",
            "() => { const a = []; a[1e7] = 1; for (;;) a.unshift(1) }",
        ],
    );
}

#[test]
fn iterators_that_do_not_end() {
    let own = "const next = Object.bind(null, { done: false, value: 1 }); \
               const it = { next, __proto__: Iterator.prototype, [Symbol.iterator]() { return this } };";
    let uses = [
        "new Set(it)",
        "it.forEach(Object)",
        "it.drop(2 ** 53 - 1).next()",
        "it.filter(isNaN).next()",
        "it.reduce(Object)",
        "it.find(isNaN)",
        "Math.max(...it)",
        "Object.groupBy(it, String)",
        "Promise.all(it)",
    ];
    for step in uses {
        stops(SOON, &[&format!("() => {{ {own} for (;;) {{ try {{ {step} }} catch {{}} }} }}")]);
    }
}

#[test]
fn texts() {
    stops(
        SOON,
        &[
            "() => 'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
            "() => 'a'.repeat(4e6).lastIndexOf('b' + 'a'.repeat(2e6))",
            "() => 'a'.repeat(4e6).includes('a'.repeat(2e6) + 'b')",
            "() => { const s = 'a'.repeat(2e6), t = 'a'.repeat(1e6) + 'b'; for (;;) s.replaceAll(t, 'x') }",
            "() => { const s = 'a'.repeat(2e6), t = 'a'.repeat(1e6) + 'b'; for (;;) s.split(t) }",
            "() => '\\u0315\\u0300\\u0316'.repeat(2e5).normalize('NFC')",
            "() => { for (;;) 'é€'.repeat(1e5).normalize('NFD') }",
            "() => { for (;;) 'é€'.repeat(1e5).localeCompare('e') }",
            "() => { const s = 'é€'.repeat(5e5); for (;;) s.toUpperCase() }",
            "() => { const s = 'é€'.repeat(2e5); for (;;) encodeURIComponent(s) }",
            "() => { const s = '%C3%A9'.repeat(2e5); for (;;) decodeURIComponent(s) }",
            "() => { const s = 'é€'.repeat(2e5); for (;;) escape(s) }",
            "() => { const s = '%u20ac'.repeat(2e5); for (;;) unescape(s) }",
            "() => { const s = 'a'.repeat(2e6), t = 'a'.repeat(2e6); for (;;) s === t }",
            "() => new Array(5e4).fill('a'.repeat(1e6)).indexOf('a'.repeat(1e6 - 1) + 'b')",
            "() => { const o = {}, s = 'a'.repeat(3e6); for (;;) o[s] }",
            "() => { const m = new Map(), s = 'a'.repeat(3e6); for (;;) m.has(s) }",
        ],
    );
}

#[test]
fn digits() {
    stops(
        SOON,
        &[
            "() => ((1n << 1000000n) - 1n).toString()",
            "() => { for (;;) BigInt('9'.repeat(3e5)) }",
            "() => { const b = (1n << 500000n) - 1n; for (;;) b * b }",
            "() => { const b = (1n << 1000000n) - 1n; for (;;) b / ((1n << 500000n) - 1n) }",
            "() => { const b = (1n << 1000000n) - 1n; for (;;) b % ((1n << 500001n) - 1n) }",
            "() => { for (;;) 3n ** 600000n }",
            "() => { const b = (1n << 900000n) - 1n; for (;;) b + b }",
            "() => { const b = (1n << 900000n) - 1n, c = (1n << 900000n) - 1n; for (;;) b === c }",
        ],
    );
}

#[test]
fn json_sorting_and_properties() {
    let large = "const o = {}; for (let i = 0; i < 1e4; i++) o['p' + i] = i;";
    let uses = [
        "Object.keys(o)",
        "Object.entries(o)",
        "Object.assign({}, o)",
        "({ ...o })",
        "Object.freeze({ ...o })",
        "Object.getOwnPropertyDescriptors(o)",
        "JSON.stringify(o)",
        "JSON.parse(JSON.stringify(o))",
    ];
    for step in uses {
        stops(SOON, &[&format!("() => {{ {large} for (;;) {step} }}")]);
    }
    stops(
        SOON,
        &[
            "() => { const s = '[' + '1,'.repeat(1e5) + '1]'; for (;;) JSON.parse(s) }",
            "() => { let o = {}; for (let i = 0; i < 4e4; i++) o = Object.create(o); for (;;) o.x }",
            "() => { let o = {}; for (let i = 0; i < 4e4; i++) o = Object.create(o); for (;;) 'x' in o }",
            "() => { let o = {}; for (let i = 0; i < 4e4; i++) o = Object.create(o); for (;;) o.x = 1, delete o.x }",
            "() => { const a = Array.from({ length: 5e4 }, (_, i) => (i * 7919) % 1e5); for (;;) a.toSorted() }",
            "() => { const s = 'a'.repeat(1e6); const a = new Array(1e4).fill(s); for (;;) a.sort() }",
            "() => { const a = new Uint8Array(3e6).map((_, i) => i * 7919); for (;;) a.sort() }",
            "() => { const a = new Float64Array(3e5).map((_, i) => (i * 7919) % 1e5); for (;;) a.sort() }",
            "() => { const a = new Float64Array(3e5); for (;;) a.sort((x, y) => y - x) }",
            "() => { const a = new Array(1e5).fill(1); for (;;) a.indexOf(2) }",
        ],
    );
}

#[test]
fn regular_expressions() {
    stops(
        SOON,
        &[
            "() => /^(a+)+$/.test('a'.repeat(40) + '!')",
            "() => /(x+x+)+y/.exec('x'.repeat(60))",
            "() => /(.*)*z/.test('x'.repeat(1e3))",
            "() => { for (;;) 'a'.repeat(3e4).split(/a*b/) }",
            "() => { for (;;) 'a'.repeat(3e4).replace(/a*b/g, '') }",
            "() => { const s = 'ab'.repeat(1e5); for (;;) s.match(/b/g) }",
            "() => { const s = 'ab'.repeat(1e5); for (;;) s.replace(/b/g, '') }",
            "() => { for (;;) new RegExp('[\\\\p{L}\\\\p{N}]'.repeat(100), 'iv') }",
        ],
    );
}

#[test]
fn one_pass_over_all_memory() {
    stops(
        PASS,
        &[
            "() => { const t = new Uint8Array(7e6); for (;;) t.reverse() }",
            "() => { const t = new Uint8Array(7e6); for (;;) t.fill(1) }",
            "() => { const t = new Uint8Array(7e6); for (;;) t.lastIndexOf(5) }",
            "() => { const t = new Uint8Array(7e6); for (;;) t.copyWithin(1, 0) }",
            "() => { const s = ' '.repeat(4e6); for (;;) s.trim() }",
            "() => { const s = '1'.repeat(4e6); for (;;) Number(s) }",
            "() => { const a = new Array(3e5).fill(0); for (;;) { a.length = 0; a.length = 3e5 } }",
            "() => { for (;;) { let a = null; for (let i = 0; i < 4e4; i++) a = { a } } }",
            "() => { const all = []; for (let i = 0; i < 2e4; i++) { const a = {}; a.a = a; all.push(a) } for (;;) { const a = {}; a.a = a } }",
            "() => { const o = {}; for (let i = 0; i < 5e4; i++) o[(i * 7919) % 50021] = 1; for (;;) Object.keys(o) }",
            "() => { const s = 'a|'.repeat(2e5); for (;;) new RegExp(s) }",
        ],
    );
}

/// Callers that make a rejection of what a stop throws go on: once only.
#[test]
fn stops_that_are_caught_inside() {
    stops(
        SOON,
        &[
            "() => { for (;;) (async () => { for (;;); })() }",
            "async () => { for (;;) { try { await (async () => { for (;;); })() } catch {} } }",
            "() => { for (;;) Promise.all({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) }) }",
            "() => { for (;;) new Promise(() => { for (;;); }) }",
            "() => { for (;;) Promise.try(() => { for (;;); }) }",
            "() => { for (;;) Array.fromAsync({ length: 2 ** 53 - 1 }) }",
            "() => { const f = () => { for (;;) p = p.then(f, f) }; let p = Promise.reject(1).then(f, f); return p }",
            "() => { for (;;) Promise.reject(1) }",
            // There is no memory for the error that says so: the interpreter ended the process.
            "() => { const all = []; try { for (;;) all.push({}) } catch {} for (;;) (async () => { for (;;); })() }",
            "() => { for (;;) Promise.reject(1).catch(() => 1) }",
        ],
    );
}

/// Without a limit of time.
#[test]
fn no_memory_ends_a_text() {
    for source in [
        "() => { let a = []; for (let i = 0; i < 40; i++) a = [a, a]; return JSON.stringify(a) }",
        "() => { let a = {}; for (let i = 0; i < 40; i++) a = { a, b: a }; return JSON.stringify(a) }",
        "() => String.raw({ raw: { length: 2 ** 53 - 1, __proto__: new Proxy({}, { get: () => 'x'.repeat(1000) }) } })",
        "() => Array.prototype.join.call({ length: 2 ** 53 - 1 }, 'x'.repeat(1000))",
    ] {
        assert_eq!(code(eval(source, vec![])), "ERR_RW_LIGHT_MEMORY", "{source}");
    }
    assert_eq!(result(call(&Run::default(), Tenant::of("() => 1").id(), vec![])), Ok(Js::Number(1.0)));
}
