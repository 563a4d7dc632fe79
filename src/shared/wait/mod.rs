//! Waiting on cells: blocking and callback waiters in one first-in-first-out table. README.md names the states and
//! the races.
//!
//! * `table` — the table, its queues and tickets; knows of no memory.
//! * `cell` — waits and notifies on a region.

mod cell;
#[cfg(all(test, loom))]
mod loom_tests;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;

pub use cell::{Expected, SLICE, WaitPolicy, Waited, enqueue, notify, wait};
pub use table::{Deliver, Enqueued, Outcome, Place, Ticket, WaitTable, table};
pub(super) use table::{Info, Kind, Queue, Waiting};
