//! Compiles QuickJS: the sources in `c`, as they were published, with `polls.patch` applied to copies.

use std::path::{Path, PathBuf};
use std::{env, fs};

const SOURCES: [&str; 4] = ["dtoa.c", "libregexp.c", "libunicode.c", "quickjs.c"];

fn main() {
    for path in ["c", "polls.patch"] {
        println!("cargo:rerun-if-changed={path}");
    }
    println!("cargo:rerun-if-env-changed=CARGO_CFG_SANITIZE");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    copy(&out);
    let patch = read(Path::new("polls.patch"));
    for file in files(&patch) {
        let path = out.join(file.name);
        let patched = apply(file, &read(&path));
        fs::write(&path, patched).expect("a copy can be written");
    }
    compile(&out);
}

fn copy(out: &Path) {
    for entry in fs::read_dir("c").expect("the folder c is there") {
        let path = entry.expect("the folder c can be read").path();
        if let Some(name) = path.file_name() {
            fs::copy(&path, out.join(name)).expect("a source can be copied");
        }
    }
}

fn compile(out: &Path) {
    let mut build = cc::Build::new();
    build.warnings(false).define("_GNU_SOURCE", None);
    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if system == "windows" {
        build.define("WIN32_LEAN_AND_MEAN", None);
        let msvc = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "msvc");
        if msvc {
            build.flag("/std:c11").flag("/experimental:c11atomics");
        } else {
            build.flag("-std=c11");
        }
    }
    if env::var("CARGO_CFG_SANITIZE").is_ok_and(|sanitizers| sanitizers.contains("address")) {
        build.flag("-fsanitize=address").flag("-fno-omit-frame-pointer");
    }
    build.files(SOURCES.map(|source| out.join(source))).compile("quickjs");
}

/// Without the `\r` that some checkouts put at the end of lines.
fn read(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("\r\n", "\n")
}

struct Changes<'a> {
    name: &'a str,
    hunks: Vec<Hunk<'a>>,
}

#[derive(Default)]
struct Hunk<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
}

/// What a patch in the unified format changes in which file.
fn files(patch: &str) -> Vec<Changes<'_>> {
    let mut files: Vec<Changes<'_>> = Vec::new();
    for line in patch.lines() {
        if line.starts_with("--- ") {
            continue;
        }
        if let Some(name) = line.strip_prefix("+++ b/") {
            files.push(Changes { name, hunks: Vec::new() });
            continue;
        }
        let file = files.last_mut().expect("a patch begins with the name of a file");
        if line.starts_with("@@") {
            file.hunks.push(Hunk::default());
            continue;
        }
        let hunk = file.hunks.last_mut().expect("a change stands in a hunk");
        let (mark, text) = line.split_at_checked(1).unwrap_or((" ", ""));
        if mark != "+" {
            hunk.old.push(text);
        }
        if mark != "-" {
            hunk.new.push(text);
        }
    }
    files
}

/// Each hunk must stand in the text as it is, after the one before: a patch that does not fit fails the build.
fn apply(Changes { name, hunks }: Changes<'_>, text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut patched: Vec<&str> = Vec::with_capacity(lines.len() + 512);
    let mut from = 0;
    for hunk in hunks {
        let found = lines[from..].windows(hunk.old.len()).position(|window| window == hunk.old);
        let start = from + found.unwrap_or_else(|| panic!("polls.patch does not fit {name}: {:?}", hunk.old));
        patched.extend(&lines[from..start]);
        patched.extend(hunk.new);
        from = start + hunk.old.len();
    }
    patched.extend(&lines[from..]);
    patched.join("\n") + "\n"
}
