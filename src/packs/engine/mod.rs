//! The engine for other addons in the process: `rw_engine` of `include/rust_workers.h`. They submit tasks to a pool by its name for
//! them, or functions of their own, and are told of each one's end by a callback.
//!
//! * `shared_pool` — a pool as other addons have it, behind `rw_pool`; `face` — the functions of `rw_engine`.
//! * `submissions` — submitting, and the outbox of all of it; `under_way` — what has not been answered, and how it is stopped;
//!   `deadlines` — the thread that stops what takes too long.
//! * `function` — the task as which a function of an addon runs; `pin` — keeps the addon's code in the process.
//!
//! # Once, whatever happens
//! `done` of an accepted submission is called once: the pool answers each job that it takes exactly once (`pool/outbox.rs`), whatever
//! becomes of it, and the entry here is taken out of its table by the answer alone. A submission that the pool refuses takes its entry
//! back itself, and its job answers nobody.
//!
//! # Who lives how long
//! Whoever has the `rw_pool` (the External of JavaScript, each `retain`, each submission under way) holds a `SharedPool`, in which
//! the `rw_engine` stands too. That does not keep the pool open: it closes with its JavaScript object, or the environment of it, and
//! answers what it has. The threads of the pool end with that; a `SharedPool` of a closed pool is some memory that refuses.

mod deadlines;
mod face;
mod function;
mod pin;
mod shared_pool;
#[cfg(all(test, shuttle))]
mod shuttle_tests;
mod submissions;
mod under_way;

pub use face::open_engine;
pub use shared_pool::SharedPool;
pub use under_way::end_submissions;
