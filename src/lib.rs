//! # rust-workers
//!
//! CPU parallelism for Node.js: an engine that knows nothing of Node, and one door to JavaScript.
//!
//! ```text
//!    JavaScript threads (main, Workers)                     Rust threads
//!   ┌────────────────────────────────────┐          ┌─────────────────────────────┐
//!   │ index.js → lib/*                   │          │ pool/  threads              │
//!   └──────────────┬─────────────────────┘          │   take → execute → report   │
//!                  │ api/   argument checks,        └──────────────┬──────────────┘
//!                  │        no algorithm                           │
//!         ┌────────▼───────────────────────────────────────────────▼────────┐
//!         │ engine, free of Node:  pool/ · tasks/ · shared/ · channel/ ·    │
//!         │   value/ · cancel · error · panic · sync                        │
//!         └────────▲───────────────────────────────────────────────┬────────┘
//!                  │ node/  one event queue per JS environment:    │
//!                  └── one wakeup, one batch, one teardown order ◄─┘
//! ```
//!
//! * [`value`] — values that cross between threads, and their wire form.
//! * [`tasks`] — the registry of native tasks, and the built-in ones.
//! * [`packs`] — libraries with tasks of users, behind a C interface.
//! * [`pool`] — the queue and the threads.
//! * [`shared`] — memory that JavaScript and Rust threads share.
//! * [`channel`] — message channels: two ports, an inbox at each.
//! * [`cancel`] — the token by which a task or a wait learns that it should stop.
//! * [`wait_limit`] — how a Rust thread blocks, and what ends that early.
//! * [`allocation`] — memory of a size that a program asked for.
//! * [`exported_numbers`] — the numbers that JavaScript knows too.
//! * [`lines`] — a queue with one reader, in lines, so that the threads that push do not meet.
//! * [`os_thread`] — the names and priorities of threads, as the operating system has them.
//! * [`seal`] — how a message of ours is known among messages of users.
//! * `node` — the only module that knows Node-API: event queue, delivery, conversion, teardown.
//! * `api` — the exports JavaScript sees.
//!
//! `cargo test` builds the engine alone: `node` and `api` only mean something inside a JavaScript process.
//!
//! `unsafe` is denied but where a file or a module allows it by name, at its head.

pub mod allocation;
#[cfg(not(test))]
mod api;
pub mod cancel;
pub mod channel;
pub mod error;
pub mod exported_numbers;
pub mod lines;
#[cfg(not(test))]
mod node;
pub mod os_thread;
pub mod packs;
pub mod panic;
pub mod pool;
pub mod seal;
pub mod shared;
pub mod sync;
pub mod tasks;
pub mod value;
pub mod wait_limit;

pub use error::{Code, Error, Result};
