//! Sources and wires that are changed at random: whatever they are, a run ends as runs end, and the thread is as it was.
//!
//! `RUST_WORKERS_FUZZ_SECONDS` makes each test go on for so long, from another seed each time; by default it is some thousand rounds. With
//! `RUST_WORKERS_FUZZ_LAST` the file of that name has what was tried last, for when the process does not survive it.
#![allow(clippy::result_large_err)] // of a test
mod support;

use std::time::{Duration, Instant, SystemTime};

use cpu_time::ThreadTime;
use rust_workers_abi::{outcome, wire as tags};
use support::{Ended, Js, Run, Tenant, call, eval, text};

/// Sources that were written to do harm, one a line.
const CORPUS: &str = include_str!("corpus.txt");
/// What a run may have of the thread.
const WORK: Duration = Duration::from_millis(10);
/// How late a run may end.
const LATE: Duration = Duration::from_millis(500);

/// Numbers without a pattern (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Calls `round` again and again.
fn rounds(by_default: u64, mut round: impl FnMut(&mut Random)) {
    let seconds = std::env::var("RUST_WORKERS_FUZZ_SECONDS").ok().and_then(|value| value.parse().ok());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = seconds.map_or(20_261_127, |_| now | 1);
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut done = 0;
    while until.map_or(done < by_default, |until| Instant::now() < until) {
        round(&mut random);
        done += 1;
        if done % 64 == 0 {
            let source =
                "(n) => [n * 2, [3, 1, 2].sort().join(), /(a)b/.exec('ab')[1], new Map([[n, 1]]).get(n)]";
            let found = eval(source, vec![21.0.into()]);
            assert_eq!(found, Ok(Js::Array(vec![42.0.into(), text("1,2,3"), text("a"), 1.0.into()])));
        }
    }
    println!("{done} rounds");
}

fn note(tried: &[u8]) {
    if let Ok(file) = std::env::var("RUST_WORKERS_FUZZ_LAST") {
        std::fs::write(file, tried).unwrap();
    }
}

/// A run ends with a result, an error that has a code, or because it was stopped; never by a fault of the pack's.
fn judge(ended: &Ended, tried: &dyn std::fmt::Debug) {
    let known = match ended.outcome {
        outcome::OK => ended.result.is_some() || ended.code.is_empty(),
        outcome::STOPPED | outcome::INVALID_INPUT => true,
        _ => ended.code.starts_with("ERR_RW_") && !ended.message.contains("fault of rust-workers"),
    };
    assert!(known, "{ended:?} of {tried:?}");
}

const NUMBERS: [&str; 16] = [
    "0",
    "-1",
    "1",
    "-0",
    "NaN",
    "Infinity",
    "2 ** 53 - 1",
    "2 ** 32 - 1",
    "2 ** 31",
    "-(2 ** 31)",
    "65536",
    "1e9",
    "0.5",
    "1n << 64n",
    "255",
    "1e3",
];
const PIECES: [&str; 36] = [
    "[]",
    "{}",
    "null",
    "undefined",
    "''",
    "'x'.repeat(1e4)",
    "new Proxy([], {})",
    "new Proxy({}, { get(t, k) { throw k } })",
    "() => 1",
    "Symbol.iterator",
    "/a*?(b|c)+/giu",
    "new Map()",
    "new Set([1])",
    "new Uint8Array(64)",
    "new ArrayBuffer(8, { maxByteLength: 64 })",
    "Promise.resolve(1)",
    "Promise.reject(1)",
    "new Date(0)",
    "1n",
    "new Float64Array(9)",
    "globalThis",
    "Object.prototype",
    "Array.prototype",
    "(function* () { yield 1; yield* [2] })()",
    "(async () => 1)()",
    "{ valueOf() { return 1 } }",
    "{ toString() { throw 1 } }",
    "{ length: 2 ** 53 - 1 }",
    "{ then(r) { r(this) } }",
    "new Error('x', { cause: 1 })",
    "class extends Array {}",
    "{ get a() { return this } }",
    "{ [Symbol.iterator]() { return this }, next() { return { done: false } } }",
    "new WeakMap()",
    "new DataView(new ArrayBuffer(8))",
    "'\\ud800'",
];
const NAMES: [&str; 48] = [
    "join",
    "reverse",
    "sort",
    "splice",
    "shift",
    "unshift",
    "copyWithin",
    "slice",
    "flat",
    "flatMap",
    "concat",
    "fill",
    "indexOf",
    "map",
    "filter",
    "reduce",
    "at",
    "with",
    "toSorted",
    "toSpliced",
    "entries",
    "from",
    "of",
    "repeat",
    "replaceAll",
    "split",
    "normalize",
    "padStart",
    "matchAll",
    "localeCompare",
    "then",
    "catch",
    "finally",
    "resize",
    "transfer",
    "subarray",
    "set",
    "get",
    "has",
    "delete",
    "call",
    "apply",
    "bind",
    "constructor",
    "prototype",
    "__proto__",
    "length",
    "toString",
];

/// Names, numbers, texts and single signs.
fn tokens(source: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let len = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else if matches!(first, '\'' | '"' | '`') {
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else {
            first.len_utf8()
        };
        list.push(&rest[..len]);
        rest = &rest[len..];
    }
    list
}

fn mutate_source(random: &mut Random, corpus: &[&str]) -> String {
    let mut list: Vec<String> =
        tokens(corpus[random.below(corpus.len())]).into_iter().map(str::to_owned).collect();
    for _ in 0..=random.below(2) {
        let at = random.below(list.len());
        match random.below(9) {
            0 => drop(list.remove(at)),
            1 => list.insert(at, list[at].clone()),
            2 => {
                let other = random.below(list.len());
                list.swap(at, other);
            }
            3 | 4 => {
                // The same kind of token, another one.
                let first = list[at].chars().next().unwrap_or(' ');
                if first.is_ascii_digit() {
                    list[at] = format!("({})", random.pick(&NUMBERS));
                } else if list[at].len() > 2 && first.is_alphabetic() && at > 0 && list[at - 1] == "." {
                    list[at] = (*random.pick(&NAMES)).to_owned();
                }
            }
            5 => list[at] = format!("({})", random.pick(&PIECES)),
            6 => {
                let other = tokens(corpus[random.below(corpus.len())]);
                let from = random.below(other.len());
                let count = 1 + random.below(12);
                let taken: Vec<String> =
                    other[from..].iter().take(count).map(|token| (*token).to_owned()).collect();
                list.splice(at..at, taken);
            }
            7 => {
                // What another one does goes before.
                let other = random.pick(corpus);
                if let Some(arrow) = list.iter().position(|token| token == "=").filter(|_| list.len() > 4) {
                    list.insert(arrow + 2, format!("(({other})?.(), 0) ||"));
                }
            }
            _ => {
                let end = (at + 1 + random.below(8)).min(list.len());
                list.drain(at..end);
            }
        }
        if list.is_empty() {
            list.push("0".to_owned());
        }
    }
    list.concat()
}

#[test]
fn sources() {
    let corpus: Vec<&str> = CORPUS.lines().collect();
    let (mut compiled, mut latest) = (0u64, Duration::ZERO);
    rounds(1_500, |random| {
        let source = mutate_source(random, &corpus);
        note(source.as_bytes());
        let memory = (512 << 10) + random.below(8 << 20);
        let stack = (16 << 10) + random.below(512 << 10);
        let flags = random.below(8) as u32;
        let tenant = Tenant { memory, stack, flags, host: vec!["ask"], ..Tenant::of(&source) };
        let answers = |_: &str, value: Js| Ok(value);
        let limited = || Run {
            stop_after_work: Some((ThreadTime::now(), WORK)),
            host: Some(&answers),
            ..Run::default()
        };
        let defined = tenant.define(&limited());
        judge(&defined, &source);
        let Some(Js::Number(id)) = defined.result else { return };
        compiled += 1;
        for _ in 0..1 + random.below(2) {
            let from = ThreadTime::now();
            let ended = call(&limited(), id, vec![Js::Array(vec![1.0.into()]), text("a")]);
            judge(&ended, &source);
            let late = from.elapsed().saturating_sub(WORK);
            latest = latest.max(late);
            assert!(late < LATE, "{late:?} late: {source}");
        }
        judge(&Run::default().task("light.drop", Js::Number(id)), &source);
    });
    println!("{compiled} were compiled; the latest stop: {latest:?}");
    assert!(compiled > 100, "only {compiled} were compiled");
}

/// Functions of one world by turns, so often that its memory is watched: a build with `debug_assertions` compares all of it before each run.
#[test]
fn worlds() {
    const FUNCTIONS: usize = 8;
    const RUNS: usize = 200;
    let corpus: Vec<&str> = CORPUS.lines().collect();
    let mut ended_by_a_limit = 0u64;
    rounds(6, |random| {
        let mut sources = Vec::new();
        while sources.len() < FUNCTIONS {
            let source = mutate_source(random, &corpus);
            let tenant = Tenant::of(&format!("() => ({source})"));
            if let Some(Js::Number(id)) = tenant.define(&Run::default()).result {
                Run::default().task("light.drop", Js::Number(id));
                sources.push(source);
            }
        }
        let list: String = sources.iter().map(|source| format!("() => ({source}),")).collect();
        let all = format!(
            "(() => {{ let runs = 0; const all = [{list}]; return (n) => n < 0 ? ++runs : (runs++, all[n]()([1], 'a')) }})()"
        );
        note(all.as_bytes());
        let tenant = Tenant::of(&all);
        // Each of them compiles alone; together they may not: one may end the expression of another.
        let Some(Js::Number(id)) = tenant.define(&Run::default()).result else { return };
        for _ in 0..RUNS {
            let limited = Run { stop_after_work: Some((ThreadTime::now(), WORK / 4)), ..Run::default() };
            let ended = call(&limited, id, vec![(random.below(FUNCTIONS) as f64).into()]);
            judge(&ended, &all);
            ended_by_a_limit += u64::from(ended.outcome != outcome::OK);
            let first = call(&Run::default(), id, vec![(-1.0).into()]);
            assert_eq!(first.result, Some(1.0.into()), "{first:?} of {all}");
        }
        judge(&Run::default().task("light.drop", Js::Number(id)), &all);
    });
    println!("{ended_by_a_limit} runs ended by a limit, or threw");
}

fn mutate_bytes(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, 0x80 + random.below(32) as u8),
            4 => drop(bytes.remove(at)),
            5 => {
                let number = *random.pick(&[0u32, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_fff0, u32::MAX]);
                let end = (at + 4).min(bytes.len());
                let taken = end - at;
                bytes[at..end].copy_from_slice(&number.to_le_bytes()[..taken]);
            }
            _ => {
                let end = (at + 1 + random.below(16)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}

/// One of each kind.
fn kinds() -> Vec<Js> {
    vec![
        Js::Undefined,
        Js::Null,
        Js::Bool(true),
        Js::Number(1e300),
        Js::Number(-5.0),
        Js::BigInt(true, vec![7, u64::MAX]),
        text("text ü 🎉"),
        Js::Units(vec![0xd800, 0x61]),
        Js::Date(5.0),
        Js::Array(vec![1.0.into(), Js::Array(vec![])]),
        Js::Object(vec![("a".into(), Js::Object(vec![("__proto__".into(), 1.0.into())]))]),
        Js::Map(vec![(1.0.into(), text("x"))]),
        Js::Set(vec![1.0.into(), text("y")]),
        Js::Error {
            class: "RangeError".into(),
            name: "Mine".into(),
            message: "m".into(),
            stack: "s".into(),
            more: vec![("code".into(), text("E"))],
        },
        Js::Bytes(0, vec![1; 40]),
        Js::Bytes(8, vec![1; 40]),
    ]
}

#[test]
fn wires_to_the_pack() {
    let words = vec![0u64; 16];
    let tenant = Tenant::of("(...all) => all");
    let mut keeps = tenant.id();
    let mut refused = 0u64;
    rounds(20_000, |random| {
        let kinds = kinds();
        let arguments = Js::Array((0..1 + random.below(4)).map(|_| random.pick(&kinds).clone()).collect());
        let (task, value) = match random.below(8) {
            0 => ("light.drop", Js::Number(1e9)),
            1 => {
                let names = Js::Array(vec![text("f")]);
                let globals = Js::Object(vec![("g".into(), random.pick(&kinds).clone())]);
                let host = Js::Array(vec![text("h")]);
                let (memory, stack) = (Js::Number(1e6), Js::Number(1e5));
                (
                    "light.define",
                    Js::Array(vec![
                        names,
                        Js::Array(vec![text("() => g")]),
                        globals,
                        host,
                        memory,
                        stack,
                        0.0.into(),
                    ]),
                )
            }
            _ => ("light.run", Js::Array(vec![Js::Number(keeps), 0.0.into(), arguments])),
        };
        let mut wire = value.wire();
        mutate_bytes(random, &mut wire);
        note(&wire);
        let shared = (random.below(3) == 0).then_some(words.as_slice());
        let run = Run { stop_after_work: Some((ThreadTime::now(), WORK)), shared, ..Run::default() };
        let ended = run.raw(task, &wire);
        judge(&ended, &wire);
        if task == "light.drop" {
            // It may have been the one that is asked.
            keeps = tenant.id();
        }
        refused += u64::from(ended.outcome != outcome::OK);
    });
    println!("{refused} were refused");
    assert!(refused > 100);
}

#[test]
fn answers_of_the_host() {
    let source =
        "async () => { try { return [await ask(1)] } catch (error) { return ['caught', String(error)] } }";
    let id = Tenant { host: vec!["ask"], ..Tenant::of(source) }.id();
    rounds(20_000, |random| {
        let mut wire = random.pick(&kinds()).wire();
        mutate_bytes(random, &mut wire);
        if random.below(4) == 0 {
            wire.insert(0, tags::HEADER);
        }
        note(&wire);
        let run = Run {
            stop_after_work: Some((ThreadTime::now(), WORK)),
            raw_answer: Some(wire.clone()),
            ..Run::default()
        };
        judge(&call(&run, id, vec![]), &wire);
    });
}
