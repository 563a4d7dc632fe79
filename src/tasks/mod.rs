//! The native tasks: the work that a thread of a pool can do.
//!
//! * `registry` — the table of tasks, and the facts about each. A task can be added at any time.
//! * `context` — the surroundings of a running task: its cancellation, and threads that may help.
//! * `input` — typed inputs: how a task declares its input, and refuses others.
//! * `data` — the input of tasks that read a stream of bytes.
//! * `running_sums` — sums of floats, in an order that is stated.
//! * `simd` — what the CPU has of vector instructions, and kernels that are compiled for them.
//! * `builtin` — the table of built-in tasks; one file or folder for each family of them.
//!
//! # The contract of a task
//! It runs on a thread of a pool, takes a [`Value`](crate::value::Value), returns one, and calls
//! [`Context::checkpoint`] at least once every millisecond of work, passing its error on with `?`. It may panic:
//! the promise is then rejected and the thread lives on. It never blocks on JavaScript.

mod builtin;
mod context;
mod control;
mod data;
mod fibonacci;
mod hash;
mod input;
mod locked_add;
mod memory;
mod primes;
mod registry;
mod running_sums;
mod simd;
mod sort;
mod sum_sqrt;
#[cfg(all(test, not(loom)))]
mod testing;
mod word_count;

pub use builtin::builtin;
pub use context::{Context, Pace};
pub use input::{Input, InputError, InputResult, Options};
pub(crate) use registry::Run;
pub use registry::{Registry, Task, TaskFacts};
