//! Compiles the C programs of these tests. A machine without a C compiler says so, and its tests pass: the header is for those who
//! have one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A C or C++ compiler, as a command.
pub(crate) fn compiler(variable: &str, usual: &str) -> Option<String> {
    let name = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let found = Command::new(&name).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: there is no compiler '{name}' (set {variable} to name one)");
    }
    found.then_some(name)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compiles a file of `tests/c` against the header; where the program is, or what the compiler said.
pub(crate) fn compile(compiler: &str, file: &str, name: &str, flags: &[&str]) -> Result<PathBuf, String> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-Wshadow", "-Wconversion"])
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(file))
        .arg("-o")
        .arg(&program)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(program)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Runs a program to its end, which must be a good one; what it wrote.
#[allow(dead_code)] // each test is a crate of its own
pub(crate) fn run(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it was compiled");
    let (out, error) =
        (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{} {arguments:?}: {}\n{out}\n{error}",
        program.display(),
        output.status
    );
    out
}

/// The text of a header.
#[allow(dead_code)]
pub(crate) fn header(name: &str) -> String {
    std::fs::read_to_string(root().join("include").join(name)).expect("the header is there")
}
