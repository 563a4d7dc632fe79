//! The helpers of the header: they compile without a warning, do what they say, and read no byte outside a value, whatever stands in it.
//!
//! `RW_FUZZ_SECONDS=300 cargo test -p rust-workers-abi` spoils values for as long; without it, a few thousand times.

mod support;

use std::path::PathBuf;

/// With the sanitizers where the compiler has them.
fn checked(compiler: &str, file: &str, name: &str, flags: &[&str]) -> PathBuf {
    let sanitized: Vec<&str> = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        .iter()
        .chain(flags)
        .copied()
        .collect();
    support::compile(compiler, file, name, &sanitized).unwrap_or_else(|why| {
        eprintln!("without the sanitizers:\n{why}");
        let plain: Vec<&str> = ["-g", "-O1"].iter().chain(flags).copied().collect();
        support::compile(compiler, file, name, &plain).unwrap_or_else(|why| panic!("{why}"))
    })
}

#[test]
fn each_helper_does_what_it_says() {
    let Some(cc) = support::compiler("CC", "cc") else { return };
    let program = checked(&cc, "helpers.c", "helpers", &["-std=c99"]);
    assert_eq!(support::run(&program, &[]), "ok\n");
}

#[test]
fn they_are_c_of_every_standard() {
    let Some(cc) = support::compiler("CC", "cc") else { return };
    for standard in ["-std=c99", "-std=c11", "-std=c17"] {
        for optimized in ["-O0", "-O3"] {
            let flags = [standard, optimized, "-Wsign-conversion"];
            let program =
                support::compile(&cc, "helpers.c", &format!("helpers{standard}{optimized}"), &flags);
            assert_eq!(support::run(&program.unwrap_or_else(|why| panic!("{why}")), &[]), "ok\n");
        }
    }
}

#[test]
fn they_are_cpp_too() {
    let Some(compiler) = support::compiler("CXX", "c++") else { return };
    for standard in ["-std=c++11", "-std=c++20"] {
        let program =
            checked(&compiler, "helpers.c", &format!("helpers{standard}"), &["-x", "c++", standard]);
        assert_eq!(support::run(&program, &[]), "ok\n");
    }
}

#[test]
fn spoilt_values_are_read_within_their_bounds() {
    let Some(cc) = support::compiler("CC", "cc") else { return };
    let program = checked(&cc, "fuzz.c", "fuzz", &["-std=c99"]);
    match std::env::var("RW_FUZZ_SECONDS") {
        Ok(seconds) => {
            let seed = std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_secs()).to_string();
            println!("seed {seed}: {}", support::run(&program, &[&seed, "0", &seconds]));
        }
        Err(_) => {
            for seed in ["1", "2", "3"] {
                assert_eq!(support::run(&program, &[seed, "2000", "0"]), "2000 rounds\n");
            }
        }
    }
}
