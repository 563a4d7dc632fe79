//! Native tasks: what a pool thread can be asked to do.
//!
//! * `registry` — the table of tasks by name.
//! * `context` — what a running task sees: its cancellation.
//! * `input` — typed inputs: how a task says what it takes, and refuses the rest.
//! * one file for each family of built-in tasks.
//!
//! # The contract of a task
//! It runs on a pool thread, takes a [`Value`](crate::value::Value), returns one, and calls
//! [`Context::checkpoint`] at least once every millisecond of work, passing its error on with `?`. It may panic:
//! the promise is then rejected and the thread lives on. It never blocks on JavaScript.

mod context;
mod input;
mod registry;

pub use context::Context;
pub use input::{Input, InputResult};
pub use registry::{Registry, Task};
