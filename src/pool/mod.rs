//! The pool: one queue and the threads that take from it.
//!
//! * `config` — what a pool is made from.
//! * `job`, `batch` — what is submitted: one task, or many inputs of one task.
//! * `parallel_for` — one task split over the threads.
//! * `queue` — priorities, limit, removal by ticket.
//! * `threads` — the state under the lock: who runs, who sleeps, who is woken. Its head tells the protocol.
//! * `worker` — one thread: take, run, report.
//! * `scripts` — JavaScript workers that take from the same pool: seats, and the protocol of coming and going.
//! * `stats` — counters.

mod batch;
mod config;
mod job;
mod parallel_for;
mod queue;
mod scripts;
mod stats;
mod threads;
mod worker;

#[cfg(all(test, not(loom)))]
mod scripts_test;
#[cfg(all(test, not(loom)))]
mod test;

pub use batch::Batch;
pub use config::Config;
pub use job::{Job, Outbox, Road};
pub use parallel_for::Work;
pub use queue::Ticket;
pub use scripts::{For, ScriptOutcome, Step, WaitPolicy, Waker};
pub use stats::Stats;
pub use threads::{Accepted, Pool, Refusal};
