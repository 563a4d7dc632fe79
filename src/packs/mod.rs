//! Native packs: libraries with tasks of users, behind the C interface of `include/rust_workers.h`.
//!
//! * `loader` — opens a library, looks whether it is a pack, and adds its tasks to the registry; once in a process.
//! * `file` — the file that a path leads to; in words, what may have been meant where it leads to no pack.
//! * `run` — a task of a pack as the registry runs it: its input in the wire form of the interface, and shared memory taken for it.
//! * `task` — the task itself, and what its outcomes mean: a result, or which error.
//! * `host` — the functions that the interface gives a running task; `call` — what one run has, behind the pointer that they take.
//! * `engine` — the pool for other addons in the process.
//! * `wire` — the wire form: values for a pack, and what comes from one, which nobody trusts.
//!
//! # What is trusted
//! A pack is machine code in the process: what it writes to memory that is not its own, nothing here can prevent. What it *says* is
//! checked: tables, lengths, wire forms, indices and outcomes; pointers as far as a look at them tells anything (null, alignment,
//! whether they are this call's). A call that is used by another thread than its own, or after it, is refused where that can be seen.

mod call;
mod engine;
mod file;
mod host;
mod loader;
mod run;
mod task;
mod wire;
#[cfg(all(test, not(loom)))]
mod wire_tests;

pub use engine::{SharedPool, end_submissions, open_engine};
pub use loader::{Pack, Packs};
