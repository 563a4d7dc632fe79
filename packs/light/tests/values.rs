//! Values in and out.
#![allow(clippy::result_large_err)] // of a test
mod support;

use support::{Js, Run, Tenant, call, eval, result, text, thrown};

fn same(value: Js) {
    let given = eval("(value) => value", vec![value.clone()]);
    assert_eq!(given, Ok(value));
}

#[test]
fn values_come_back_as_they_went() {
    for number in [0.0, 1.0, 127.0, 128.0, -1.0, 0.5, 1e300, f64::INFINITY, 4294967296.0] {
        same(Js::Number(number));
    }
    let zero = eval("(value) => [value, Object.is(value, -0)]", vec![Js::Number(-0.0)]).unwrap();
    let Js::Array(zero) = zero else { panic!() };
    assert!(matches!(zero[0], Js::Number(value) if value.to_bits() == (-0.0f64).to_bits()));
    assert_eq!(zero[1], Js::Bool(true));
    for value in
        [Js::Undefined, Js::Null, Js::Bool(true), Js::Bool(false), text(""), text("a"), text("grün 🎉 \0 x")]
    {
        same(value);
    }
    same(Js::Units(vec![0xd800, 0x61]));
    same(Js::Date(1e12));
    same(Js::Array(vec![]));
    same(Js::Array(vec![
        Js::Number(1.0),
        Js::Array(vec![text("x")]),
        Js::Object(vec![("a".into(), Js::Null)]),
    ]));
    same(Js::Object(vec![("__proto__".into(), Js::Number(1.0)), ("b".into(), Js::Object(vec![]))]));
    same(Js::Map(vec![(text("k"), Js::Number(1.0)), (Js::Array(vec![]), Js::Undefined)]));
    same(Js::Set(vec![text("k"), Js::Number(2.0)]));
    same(Js::Bytes(4, vec![1, 2, 3]));
    same(Js::Bytes(0, (0..=255).cycle().take(100_000).collect()));
    for kind in [2u8, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] {
        same(Js::Bytes(kind, vec![1; 16]));
    }
    for words in [vec![1], vec![u64::MAX], vec![1 << 63], vec![5, 6, 7], vec![0, 1]] {
        same(Js::BigInt(false, words.clone()));
        same(Js::BigInt(true, words));
    }
    same(Js::BigInt(false, vec![]));
}

#[test]
fn bigints_are_what_they_were() {
    let sum =
        eval("(a, b) => a * b", vec![Js::BigInt(true, vec![u64::MAX]), Js::BigInt(false, vec![u64::MAX])])
            .unwrap();
    assert_eq!(sum, Js::BigInt(true, vec![1, u64::MAX - 1]));
}

#[test]
fn errors_cross_with_what_they_have() {
    let source = "(value) => { const e = new RangeError('no', { cause: value }); e.code = 'E_X'; throw e; }";
    let error = thrown(eval(source, vec![Js::Number(3.0)]));
    let Js::Error { class, name, message, stack, more } = error else { panic!("{error:?}") };
    assert_eq!((class.as_str(), name.as_str(), message.as_str()), ("RangeError", "RangeError", "no"));
    assert!(stack.starts_with("RangeError: no\n    at f (f:1:"), "{stack}");
    assert_eq!(more, vec![("cause".into(), Js::Number(3.0)), ("code".into(), text("E_X"))]);
    let back = Js::Error {
        class: "TypeError".into(),
        name: "Mine".into(),
        message: "m".into(),
        stack: "s".into(),
        more: vec![("code".into(), Js::Number(1.0))],
    };
    let given =
        eval("(e) => [e instanceof TypeError, e.name, e.message, e.code, Object.keys(e)]", vec![back])
            .unwrap();
    let keys = Js::Array(vec![text("code")]);
    assert_eq!(given, Js::Array(vec![Js::Bool(true), text("Mine"), text("m"), Js::Number(1.0), keys]));
}

#[test]
fn anything_can_be_thrown() {
    assert_eq!(thrown(eval("() => { throw 5 }", vec![])), Js::Number(5.0));
    let odd = thrown(eval("() => { throw () => 1 }", vec![]));
    assert!(matches!(odd, Js::Error { message, .. } if message.contains("cannot leave light code")));
}

#[test]
fn what_cannot_cross_is_named_by_its_path() {
    for (source, path) in [
        ("() => ({ a: [1, { b() {} }] })", "result.a[1].b is a function"),
        ("() => [Symbol('x')]", "result[0] is a symbol"),
        ("() => ({ p: [Promise.resolve(1)] })", "result.p[0] is a promise"),
        ("() => new WeakMap()", "result is of the class WeakMap"),
        ("() => new Proxy({}, {})", "result is a Proxy"),
        ("() => /x/", "result is of the class RegExp"),
        ("() => new SharedArrayBuffer(8)", "result is of the class SharedArrayBuffer"),
    ] {
        let ended = eval(source, vec![]).unwrap_err();
        assert_eq!(ended.code, "ERR_RW_UNSUPPORTED_VALUE", "{source}: {ended:?}");
        assert!(ended.message.contains(path), "{source}: {}", ended.message);
    }
    let cycle = eval("() => { const a = { b: [] }; a.b.push(a); return a }", vec![]).unwrap_err();
    assert_eq!((cycle.code.as_str(), cycle.message.contains("result.b[0]")), ("ERR_RW_CYCLIC_VALUE", true));
    let deep =
        eval("() => { let a = []; for (let i = 0; i < 1000; i++) a = [a]; return a }", vec![]).unwrap_err();
    assert_eq!(deep.code, "ERR_RW_VALUE_TOO_DEEP");
    let wide = eval(
        "() => { let a = ['x'.repeat(100)]; for (let i = 0; i < 40; i++) a = [a, a]; return a }",
        vec![],
    )
    .unwrap_err();
    assert_eq!(wide.code, "ERR_RW_VALUE_TOO_LARGE");
}

#[test]
fn getters_run_once_each_and_may_throw() {
    let source = "() => { let n = 0; return { get a() { n += 1; return n }, get b() { n += 1; return n } } }";
    assert_eq!(
        eval(source, vec![]),
        Ok(Js::Object(vec![("a".into(), 1.0.into()), ("b".into(), 2.0.into())]))
    );
    let error = thrown(eval("() => ({ get a() { throw new TypeError('mine') } })", vec![]));
    assert!(matches!(error, Js::Error { message, .. } if message == "mine"));
}

#[test]
fn promises_are_awaited() {
    let source = "async (a) => { let sum = 0; for (let i = 0; i < 10; i++) sum += await Promise.resolve(a); return sum }";
    assert_eq!(eval(source, vec![Js::Number(2.0)]), Ok(Js::Number(20.0)));
    let error = thrown(eval("async () => { throw new Error('late') }", vec![]));
    assert!(matches!(error, Js::Error { message, .. } if message == "late"));
    let never = eval("() => new Promise(() => {})", vec![]).unwrap_err();
    assert_eq!(never.code, "ERR_RW_LIGHT_UNSETTLED");
}

#[test]
fn shared_memory_is_shared() {
    let words = [1u64, 2, 3, 4];
    let run = Run { shared: Some(&words), ..Run::default() };
    let id = Tenant::of(
        "(a) => { Atomics.add(a, 0, 5); a[2] = 9; return [a.length, a.buffer instanceof SharedArrayBuffer] }",
    )
    .id();
    // light.run by hand: the argument is shared memory, which tests have no value for.
    let mut wire = Js::Array(vec![Js::Number(id), Js::Number(0.0), Js::Array(vec![Js::Null])]).wire();
    wire.pop();
    wire.extend([0xa0, 8, 0, 0, 0, 0]);
    let answer = result(run.raw("light.run", &wire));
    assert_eq!(answer, Ok(Js::Array(vec![Js::Number(8.0), Js::Bool(true)])));
    let seen = words.map(std::hint::black_box);
    assert_eq!(seen, [6, 9, 3, 4]);
}

#[test]
fn host_functions_are_called_and_awaited() {
    let host = |name: &str, input: Js| match (name, input) {
        ("lookup", Js::Array(given)) => Ok(Js::Array(given)),
        ("fail", _) => Err(Js::Error {
            class: "TypeError".into(),
            name: "TypeError".into(),
            message: "host".into(),
            stack: "there".into(),
            more: vec![],
        }),
        other => panic!("{other:?}"),
    };
    let run = Run { host: Some(&host), ..Run::default() };
    let tenant = Tenant {
        host: vec!["lookup", "fail"],
        ..Tenant::of(
            "async (a) => { progress(a); const b = await lookup(a, 2); try { await fail() } catch (e) { return [b, e.message, e instanceof TypeError] } }",
        )
    };
    let answer = result(call(&run, tenant.id(), vec![text("x")]));
    let expected = Js::Array(vec![Js::Array(vec![text("x"), Js::Number(2.0)]), text("host"), Js::Bool(true)]);
    assert_eq!(answer, Ok(expected));
    assert_eq!(run.reports.take(), vec![text("x")]);
    let refused = thrown(eval("() => { progress(() => 1) }", vec![]));
    assert!(matches!(refused, Js::Error { message, .. } if message.contains("arguments is a function")));
    let stopped = Run::default();
    let id = Tenant {
        host: vec!["lookup"],
        ..Tenant::of("async () => { try { await lookup() } finally { return 1 } }")
    }
    .id();
    assert_eq!(call(&stopped, id, vec![]).outcome, rust_workers_abi::outcome::STOPPED);
}

#[test]
fn a_rejection_that_nobody_sees_to_ends_the_task() {
    let error = thrown(eval("() => { Promise.reject(new Error('lost')); return 1 }", vec![]));
    assert!(matches!(error, Js::Error { message, .. } if message == "lost"));
    assert_eq!(
        eval("async () => { const p = Promise.reject(1); try { await p } catch {} return 1 }", vec![]),
        Ok(Js::Number(1.0))
    );
}
