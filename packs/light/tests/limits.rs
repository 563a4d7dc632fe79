//! What ends a task that would not end, and that nothing is left of it.
#![allow(clippy::result_large_err)] // of a test
mod support;

use std::time::{Duration, Instant};

use rust_workers_abi::outcome;
use support::{Js, Run, Tenant, call, code, eval, result, text, thrown};

fn stopped(source: &str) -> Duration {
    let id = Tenant::of(source).id();
    let run = Run::stop_after(30);
    let begun = Instant::now();
    let ended = call(&run, id, vec![]);
    assert_eq!(ended.outcome, outcome::STOPPED, "{source}: {ended:?}");
    println!("{:?} {source}", begun.elapsed());
    let late = begun.elapsed().saturating_sub(Duration::from_millis(30));
    assert!(late < Duration::from_secs(5), "{source}: {late:?} late");
    // The thread and the tenant are as they were.
    assert_eq!(eval("() => 1 + 1", vec![]), Ok(Js::Number(2.0)));
    late
}

#[test]
fn loops_are_stopped() {
    for source in [
        "() => { for (;;); }",
        "() => { for (;;) { try { for (;;); } catch {} finally { continue } } }",
        "async () => { for (;;) await 1 }",
        "async () => { const f = () => { p = p.then(f) }; let p = Promise.resolve(); f(); for (;;) await p }",
        "() => /^(a+)+$/.test('a'.repeat(40) + 'b')",
        "() => /(x+x+)+y/.exec('x'.repeat(60))",
        "() => { const s = 'a'.repeat(50); for (;;) s.replace(/(a|aa)+b/g, '') }",
        "() => { for (;;) { try { new Array(1e6).fill('x').join('') } catch {} } }",
        "() => { for (;;) { try { 'x'.repeat(1e9) } catch {} } }",
        "() => ({ get a() { for (;;); } })",
        "() => { while (true) JSON.parse('[1,2,3]') }",
        "() => { function* g() { for (;;) yield 1 } for (const x of g()); }",
        "() => { const f = () => 1; for (;;) f.bind(1, 2) }",
        "() => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    ] {
        stopped(source);
    }
}

#[test]
fn memory_has_a_limit() {
    for source in [
        "() => { const a = []; for (;;) a.push({}) }",
        "() => { let s = 'x'; for (;;) s += s }",
        "() => 'x'.repeat(2 ** 29)",
        "() => new Uint8Array(1e9)",
        "() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, [i]) }",
        "() => { let a = []; for (;;) a = [a, a] }",
        "() => new Array(1e8).fill(0)",
        "() => { let n = 1n; for (;;) n = n << 100000n }",
        "() => { const all = []; for (;;) all.push(new Uint8Array(1000)) }",
        "() => { let f = () => 0; for (;;) { const g = f; f = () => g } }",
        "() => { const o = {}; for (let i = 0; ; i++) o['key' + i] = i }",
        "() => { const r = []; for (;;) r.push(Symbol('x')) }",
        "async () => { const all = []; for (;;) all.push(new Promise(() => {})) }",
        "() => JSON.parse('[' + '{},'.repeat(1e6) + '1]')",
        "() => 'ab'.repeat(1e6).split('')",
    ] {
        let begun = Instant::now();
        let ended = eval(source, vec![]);
        println!("{:?} {source}", begun.elapsed());
        match &ended {
            // Some are refused by the language's own limits.
            Err(support::Ended { result: Some(_), .. }) => {
                let error = thrown(ended);
                assert!(
                    matches!(&error, Js::Error { name, .. } if ["RangeError", "InternalError"].contains(&name.as_str())),
                    "{source}: {error:?}"
                );
            }
            _ => assert_eq!(code(ended), "ERR_RW_LIGHT_MEMORY", "{source}"),
        }
        assert_eq!(eval("() => 1 + 1", vec![]), Ok(Js::Number(2.0)), "after {source}");
    }
}

#[test]
fn a_smaller_limit_is_a_smaller_limit() {
    let tenant = |memory| Tenant { memory, ..Tenant::of("(n) => new Uint8Array(n).length") };
    let small = tenant(1 << 20).id();
    assert_eq!(result(call(&Run::default(), small, vec![Js::Number(500_000.0)])), Ok(Js::Number(500_000.0)));
    assert_eq!(
        code(result(call(&Run::default(), small, vec![Js::Number(2_000_000.0)]))),
        "ERR_RW_LIGHT_MEMORY"
    );
    let large = tenant(64 << 20).id();
    assert_eq!(result(call(&Run::default(), large, vec![Js::Number(50e6)])), Ok(Js::Number(50e6)));
    assert_eq!(result(call(&Run::default(), small, vec![Js::Number(9.0)])), Ok(Js::Number(9.0)));
    let argument = Js::Bytes(4, vec![1; 2 << 20]);
    assert_eq!(code(result(call(&Run::default(), small, vec![argument]))), "ERR_RW_LIGHT_MEMORY");
}

#[test]
fn memory_that_is_caught_is_an_error_like_others() {
    let source = "() => { try { new Uint8Array(1e9) } catch (e) { return e.message.length > 0 } }";
    assert_eq!(eval(source, vec![]), Ok(Js::Bool(true)));
}

#[test]
fn the_stack_has_a_limit() {
    for source in [
        "() => { const f = () => f() + 1; return f() }",
        "() => { const o = { toString() { return '' + o } }; return '' + o }",
        "() => { const a = []; a[0] = a; return a.flat(Infinity) }",
        "() => { let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); return p.x }",
        "() => { const o = { get x() { return this.x } }; return o.x }",
        "() => JSON.stringify({ toJSON() { return JSON.stringify(this) } })",
        "() => { let a = []; for (let i = 0; i < 2e4; i++) a = [a]; return JSON.stringify(a) }",
        "() => { class A { constructor() { new A() } } new A() }",
        "() => [3, 2, 1].sort(function c() { return [2, 1].sort(c) })",
        "() => { let s = 'a'; const f = () => s.replace(/a/, f); return f() }",
        "() => { function* g() { yield* g() } return [...g()] }",
        "() => { let i = [1].values(); for (let n = 0; n < 1e4; n++) i = i.map((x) => x); return i.next() }",
        "() => { let i = [1].values(); for (let n = 0; n < 1e4; n++) i = i.drop(0); return [...i] }",
    ] {
        assert_eq!(code(eval(source, vec![])), "ERR_RW_LIGHT_STACK", "{source}");
        assert_eq!(eval("() => 1 + 1", vec![]), Ok(Js::Number(2.0)), "after {source}");
    }
    // What the language's own parsers say of depth.
    for source in ["() => JSON.parse('['.repeat(1e5))", "() => new RegExp('('.repeat(1e5) + ')'.repeat(1e5))"]
    {
        let ended = eval(source, vec![]).unwrap_err();
        assert!(ended.code == "ERR_RW_LIGHT_STACK" || ended.result.is_some(), "{source}: {ended:?}");
        assert_eq!(eval("() => 1 + 1", vec![]), Ok(Js::Number(2.0)), "after {source}");
    }
    let deep = format!("() => {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let refused = Tenant::of(&deep).define(&Run::default());
    assert!(["ERR_RW_LIGHT_SOURCE", "ERR_RW_LIGHT_STACK"].contains(&refused.code.as_str()), "{refused:?}");
}

#[test]
fn a_small_thread_has_a_small_stack() {
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(|| {
        assert_eq!(code(eval("() => { const f = () => f() + 1; return f() }", vec![])), "ERR_RW_LIGHT_STACK");
        assert_eq!(eval("() => 1 + 1", vec![]), Ok(Js::Number(2.0)));
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn catching_a_stack_overflow_is_allowed() {
    let source = "() => { let n = 0; const f = () => { n++; f() }; try { f() } catch (e) { return n > 100 && e instanceof RangeError } }";
    assert_eq!(eval(source, vec![]), Ok(Js::Bool(true)));
}

#[test]
fn nothing_is_left_of_a_task() {
    let source = "(step) => {
        if (step === 0) { globalThis.mine = 1; Array.prototype.map = null; Object.prototype.x = 1; f.count = 1; delete globalThis.JSON;
            Math.PI2 = 6; Math.max = () => 0; Error.prototype.name = 'X'; Symbol.prototype.y = 1; limit.push(9);
            Promise.prototype.then = 5; Object.defineProperty(globalThis, 'undefined2', { value: 1 }); return 0 }
        return [typeof mine, typeof [].map, 'x' in {}, f.count, typeof JSON, Math.PI2, Math.max(1, 2), new Error().name, limit.length, typeof Promise.prototype.then]
    }";
    let tenant = Tenant { globals: vec![("limit".into(), Js::Array(vec![]))], ..Tenant::of(source) };
    let (id, other) = (tenant.id(), tenant.id());
    let clean = result(call(&Run::default(), other, vec![Js::Number(1.0)])).unwrap();
    let Js::Array(items) = &clean else { panic!() };
    assert_eq!(items[..3], [text("undefined"), text("function"), Js::Bool(false)]);
    for _ in 0..3 {
        assert_eq!(result(call(&Run::default(), id, vec![Js::Number(0.0)])), Ok(Js::Number(0.0)));
        assert_eq!(result(call(&Run::default(), id, vec![Js::Number(1.0)])), Ok(clean.clone()));
        assert_eq!(result(call(&Run::default(), other, vec![Js::Number(1.0)])), Ok(clean.clone()));
    }
}

#[test]
fn state_is_kept_where_it_is_asked_for() {
    let counter = Tenant { flags: 4, ..Tenant::of("() => globalThis.n = (globalThis.n ?? 0) + 1") };
    let (a, b) = (counter.id(), counter.id());
    let next = |id| result(call(&Run::default(), id, vec![]));
    assert_eq!(
        [next(a), next(a), next(b), next(a), next(b)],
        [1, 2, 1, 3, 2].map(|n| Ok(Js::Number(f64::from(n))))
    );
    assert_eq!(eval("() => globalThis.n", vec![]), Ok(Js::Undefined));
    assert_eq!(next(a), Ok(Js::Number(4.0)));
}

#[test]
fn no_clock_and_no_randomness_unless_given() {
    for source in [
        "() => Date.now()",
        "() => new Date()",
        "() => Date()",
        "() => Math.random()",
        "() => new Date().constructor.now()",
    ] {
        assert!(
            matches!(thrown(eval(source, vec![])), Js::Error { class, .. } if class == "TypeError"),
            "{source}"
        );
        let given = Tenant { flags: 3, ..Tenant::of(&source.replace("new Date()", "(new Date() - 0)")) };
        drop(result(call(&Run::default(), given.id(), vec![])));
    }
    let hidden = "() => { const found = new (new Date(0).constructor)(5); class D extends Date {} return [found.getTime(), new D(7).getTime(), Date.UTC(2000, 0), new D(1) instanceof Date] }";
    let expected = Js::Array(vec![5.0.into(), 7.0.into(), 946_684_800_000.0.into(), Js::Bool(true)]);
    assert_eq!(eval(hidden, vec![]), Ok(expected));
    assert!(
        matches!(thrown(eval("() => { class D extends Date {} return new D() }", vec![])), Js::Error { class, .. } if class == "TypeError")
    );
    let clock =
        Tenant { flags: 1, ..Tenant::of("() => Date.now() > 1.6e12 && new Date() - Date.now() < 1000") };
    assert_eq!(result(call(&Run::default(), clock.id(), vec![])), Ok(Js::Bool(true)));
    let random = Tenant { flags: 2, ..Tenant::of("() => Math.random()") }.id();
    let next = || result(call(&Run::default(), random, vec![]));
    assert_ne!(next(), next());
}

#[test]
fn sources_are_refused_with_name_and_place() {
    for (source, said) in [
        ("(a) => {\n  return a +* 1\n}", "f:2:"),
        ("1 + 1", "'f' is no function"),
        ("", "SyntaxError"),
        ("() => 1) + (() => 2", "'f' is no function"),
        ("(() => { throw new Error('at once') })()", "at once"),
        ("() => { with (a) {} }", "SyntaxError"),
        ("import x from 'x'", "SyntaxError"),
    ] {
        let refused = Tenant::of(source).define(&Run::default());
        assert_eq!(refused.code, "ERR_RW_LIGHT_SOURCE", "{source}: {refused:?}");
        assert!(refused.message.contains(said), "{source}: {}", refused.message);
    }
    let endless = Tenant::of("(() => { for (;;); })()").define(&Run::stop_after(30));
    assert_eq!(endless.outcome, outcome::STOPPED);
}

#[test]
fn the_world_is_all_there_is() {
    let source = "() => { const g = globalThis; return [g === globalThis, Object.getOwnPropertyNames(g).includes('process'), typeof require, typeof import.meta] }";
    assert!(matches!(Tenant::of(source).define(&Run::default()).code.as_str(), "ERR_RW_LIGHT_SOURCE"));
    let source = source.replace("typeof import.meta", "typeof std");
    let expected = Js::Array(vec![Js::Bool(true), Js::Bool(false), text("undefined"), text("undefined")]);
    assert_eq!(eval(&source, vec![]), Ok(expected));
    let import = thrown(eval("() => import('fs')", vec![]));
    assert!(matches!(import, Js::Error { .. }), "{import:?}");
    assert!(matches!(
        thrown(eval("() => Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)", vec![])),
        Js::Error { .. }
    ));
}

#[test]
fn no_code_is_compiled_by_code() {
    for source in [
        "() => eval('1')",
        "() => (0, eval)('1')",
        "() => new Function('return 1')",
        "() => (() => {}).constructor('return 1')",
        "() => Object.getPrototypeOf(function* () {}).constructor('yield 1')",
        "() => (async () => {}).constructor('return 1')",
        "() => (async function* () {}).constructor('return 1')",
        "() => Reflect.construct(Function.prototype.constructor, ['return 1'], Array)",
        "() => { class F extends Function {} return new F('return 1') }",
    ] {
        let Js::Error { class, message, .. } = thrown(eval(source, vec![])) else { panic!("{source}") };
        assert_eq!(class, "TypeError", "{source}: {message}");
    }
    let source = "() => [(() => {}) instanceof Function, eval(5), Function.prototype === Object.getPrototypeOf(Map), Function.name]";
    let expected = Js::Array(vec![Js::Bool(true), Js::Number(5.0), Js::Bool(true), text("Function")]);
    assert_eq!(eval(source, vec![]), Ok(expected));
}

#[test]
fn functions_are_bound_until_there_is_no_memory() {
    for memory in (0..40).map(|step| (1 << 20) + step * 1_000) {
        let source = "() => { const f = () => 1, all = []; for (;;) all.push(f.bind(1, 2)) }";
        let id = Tenant { memory, ..Tenant::of(source) }.id();
        assert_eq!(code(result(call(&Run::default(), id, vec![]))), "ERR_RW_LIGHT_MEMORY");
    }
    let source = "(a) => { function f(...all) { return [this, new.target === undefined, ...all] } return f.bind(1, 2).bind(3, 4)(a) }";
    let expected = Js::Array(vec![1.0.into(), Js::Bool(true), 2.0.into(), 4.0.into(), 5.0.into()]);
    assert_eq!(eval(source, vec![5.0.into()]), Ok(expected));
}

/// The interpreter collected while the shape of the object was in no list.
#[test]
fn objects_grow_until_there_is_no_memory() {
    for memory in (0..24).map(|step| (1 << 20) + step * 90_001) {
        let source = "() => { const o = {}; for (let i = 0; ; i++) { o['p' + i] = {}; if (i % 500 === 0) ({ ...o }) } }";
        let id = Tenant { memory, ..Tenant::of(source) }.id();
        assert_eq!(code(result(call(&Run::default(), id, vec![]))), "ERR_RW_LIGHT_MEMORY");
    }
}

#[test]
fn what_compiles_is_bounded_by_its_length() {
    // As much for the compiler as a source can ask for, in little memory of its own; and more than there may be.
    for piece in [
        "()=>1,",
        "a=>a=>1,",
        "{},",
        "[],",
        "'',",
        "1n,",
        "/a/,",
        "`${1}`,",
        "class{},",
        "{a:1},",
        "x=>{let y},",
    ] {
        let source = format!("() => [{}]", piece.repeat(100_000 / piece.len()));
        let tenant = Tenant { memory: 64 << 20, ..Tenant::of(&source) };
        let ended = tenant.define(&Run::default());
        assert!(ended.result.is_some(), "{piece}: {ended:?}");
    }
    let long = format!("() => '{}'", "x".repeat(2 << 20));
    let refused = Tenant::of(&long).define(&Run::default());
    assert_eq!(refused.code, "ERR_RW_LIGHT_SOURCE", "{refused:?}");
}

#[test]
fn a_dropped_tenant_is_gone() {
    let id = Tenant::of("() => 1").id();
    assert_eq!(Run::default().task("light.drop", Js::Number(id)).outcome, outcome::OK);
    assert_eq!(code(result(call(&Run::default(), id, vec![]))), "ERR_RW_LIGHT_CLOSED");
}

#[test]
fn functions_of_a_tenant_see_each_other() {
    let tenant = Tenant {
        functions: vec![("f", "(n) => g(n) + 1".into()), ("g", "(n) => n * rate".into())],
        globals: vec![("rate".into(), 10.0.into())],
        ..Tenant::default()
    };
    assert_eq!(result(call(&Run::default(), tenant.id(), vec![Js::Number(4.0)])), Ok(Js::Number(41.0)));
}
