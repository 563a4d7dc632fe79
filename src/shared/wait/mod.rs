//! Waiting on cells: threads and callbacks in one queue, first in, first out. README.md has the states and the races.
//!
//! * `table` — the table, its queues and handles; it does not know the memory.
//! * `blocking_wait` — how a thread blocks in a wait, for a cell or for a lock.
//! * `cell` — waits and notifies on a region.

use std::time::Duration;

mod blocking_wait;
mod cell;
#[cfg(all(test, loom))]
mod loom_tests;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;

pub(super) use blocking_wait::BlockingWait;
pub use cell::{Expected, Waited, enqueue, notify, wait};
pub use table::{CellAddress, Enqueued, Outcome, OutcomeCallback, WaitTable, WaiterHandle, table};
pub(super) use table::{Info, Kind, Pushed, Queue};

/// The longest time a JavaScript thread sleeps in native code: V8 can stop it only between two sleeps, in JavaScript.
pub const SLICE: Duration = Duration::from_millis(50);
