//! The header and this crate are one interface: sizes, offsets and numbers.

mod support;

use std::collections::BTreeMap;
use std::mem::offset_of;

use rust_workers_abi::*;

/// By the C expression for it.
type Numbers = BTreeMap<String, u64>;

macro_rules! structs {
    ($numbers:ident; $($c:literal $rust:ident { $($field:ident),+ })+) => {$(
        $numbers.insert(format!("sizeof({})", $c), size_of::<$rust>() as u64);
        $($numbers.insert(format!("offsetof({}, {})", $c, stringify!($field)), offset_of!($rust, $field) as u64);)+
    )+};
}

macro_rules! constants {
    ($numbers:ident; $($prefix:literal $module:ident { $($name:ident),+ })+) => {$(
        $($numbers.insert(format!("{}{}", $prefix, stringify!($name)), u64::try_from($module::$name).expect("none is below zero"));)+
    )+};
}

fn in_rust() -> Numbers {
    let mut numbers = Numbers::new();
    structs! { numbers;
        "rw_text" Text { data, len }
        "rw_part" Part { kind, reserved, data, len }
        "rw_value" Value { wire, wire_len, parts, parts_len }
        "rw_error" Error { size, reserved, name, code, message }
        "rw_host" Host {
            size, abi, stop_reason, sleep, alloc, set_result, set_error, progress, threads, parallel_for, port_receive,
            port_send, call_js, release
        }
        "rw_task" Task { size, flags, name, takes, run, data }
        "rw_pack" Pack { size, abi, name, version, tasks, tasks_len }
        "rw_submission" Submission { size, priority, task, run, input, timeout_ns, done, data }
        "rw_engine" Engine { size, abi, pool, retain, release, submit, cancel, threads }
    }
    constants! { numbers;
        "RW_PART_" part { BYTES, SHARED, PORT }
        "RW_" outcome { OK, STOPPED, FAILED, INVALID_INPUT, PANICKED, CLOSED, TIMED_OUT, REFUSED, FULL }
        "RW_" stop { RUN_ON }
        "RW_STOP_" stop { CANCELLED, TIMEOUT, CLOSING }
        "RW_TASK_" flags { IN_PLACE, PARALLEL, ATOMIC }
        "RW_" wire {
            UNDEFINED, NULL, FALSE, TRUE, INT32, FLOAT64, BIGINT, UTF8, UTF16, DATE, ARRAY, OBJECT, MAP, SET, ERROR, BYTES,
            BYTES_PART, SHARED, PORT
        }
        "RW_WIRE_" wire { HEADER }
        "RW_" bytes {
            ARRAY_BUFFER, BUFFER, DATA_VIEW, INT8_ARRAY, UINT8_ARRAY, UINT8_CLAMPED_ARRAY, INT16_ARRAY, UINT16_ARRAY,
            INT32_ARRAY, UINT32_ARRAY, FLOAT32_ARRAY, FLOAT64_ARRAY, BIG_INT64_ARRAY, BIG_UINT64_ARRAY, FLOAT16_ARRAY
        }
    }
    numbers.insert("RW_ABI".to_owned(), u64::from(ABI));
    numbers.insert("RW_FOREVER".to_owned(), FOREVER);
    numbers.insert("RW_ENGINE_TAG_LOWER".to_owned(), ENGINE_TAG[0]);
    numbers.insert("RW_ENGINE_TAG_UPPER".to_owned(), ENGINE_TAG[1]);
    numbers
}

/// The names that the header gives to numbers, in enums and by `#define`.
fn names_of_numbers(header: &str) -> Vec<String> {
    let is_name = |word: &str| {
        word.starts_with("RW_") && word.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
    };
    let mut names = Vec::new();
    for line in header.lines() {
        let line = line.trim_start().trim_start_matches("enum { ");
        // "RW_A = 0, RW_B = 1": a word before each sign.
        for before in line.split(" = ").map(|before| before.rsplit([' ', ',']).next().unwrap_or("")) {
            if is_name(before) && line.contains(&format!("{before} = ")) {
                names.push(before.to_owned());
            }
        }
        let mut words = line.split_whitespace();
        if words.next() == Some("#define")
            && let (Some(name), Some(value)) = (words.next(), words.next())
            && is_name(name)
            && !value.starts_with(['"', '_'])
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[test]
fn every_number_of_the_header_is_compared() {
    let (names, compared) = (names_of_numbers(&support::header("rust_workers.h")), in_rust());
    assert!(names.len() > 50, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !compared.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not in this test, or not in the crate: {missing:?}");
    for number in compared.keys().filter(|name| name.starts_with("RW_")) {
        assert!(names.contains(number), "{number} is not in the header");
    }
}

#[test]
fn every_struct_of_the_header_is_compared() {
    let compared = in_rust();
    for line in support::header("rust_workers.h").lines() {
        let Some(name) = line.strip_prefix("typedef struct ").and_then(|rest| rest.strip_suffix(" {")) else {
            continue;
        };
        assert!(compared.contains_key(&format!("sizeof({name})")), "{name} is not compared");
    }
}

#[test]
fn sizes_offsets_and_numbers_are_the_same() {
    let Some(cc) = support::compiler("CC", "cc") else { return };
    let expected = in_rust();
    let mut source = String::from(
        "#include <stddef.h>\n#include <stdio.h>\n#include \"rust_workers.h\"\nint main(void) {\n",
    );
    for name in expected.keys() {
        source.push_str(&format!("  printf(\"%s=%llu\\n\", \"{name}\", (unsigned long long)({name}));\n"));
    }
    source.push_str("  printf(\"%s\\n\", RW_PACK_SYMBOL);\n  return 0;\n}\n");
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("layout.c");
    std::fs::write(&file, source).expect("a file in the target folder");
    // An absolute path stays what it is.
    let program = support::compile(&cc, file.to_str().expect("UTF-8"), "layout", &[]).expect("it compiles");
    let printed = support::run(&program, &[]);
    let mut in_c = Numbers::new();
    let mut symbol = "";
    for line in printed.lines() {
        match line.split_once('=') {
            Some((name, number)) => drop(in_c.insert(name.to_owned(), number.parse().expect("a number"))),
            None => symbol = line,
        }
    }
    assert_eq!(in_c, expected);
    assert_eq!(symbol, PACK_SYMBOL.to_str().expect("UTF-8"));
}
