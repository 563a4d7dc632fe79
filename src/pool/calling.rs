//! Threads whose tasks have called a function of JavaScript, and wait for its answer.
//!
//! # Why no pool stands still by that
//! Such a thread does nothing, so it does not count against `maxThreads`: another may work in its place, which is woken or started when
//! the wait begins and something waits in the queue (`Pool::begin_call` in `caller.rs`). So the functions may submit native tasks to the same pool and wait for
//! them, however many of its tasks call. When the answer comes the thread goes on at once: for a moment more threads than `maxThreads`
//! work. The next of them that looks at the queue then sleeps (`Threads::is_over`), and is kept for the calls to come, until its idle
//! time is up.
//!
//! At most [`MOST`] threads are there in place of others. Beyond that a thread that waits counts, and what waits in the queue waits until one is
//! answered. Then tasks could wait for each other in a circle: all threads call, and their functions wait for native tasks, which wait for
//! a thread. Such a circle is closed by the submission of one of these tasks, and refused there (`deadlock.rs`).

use super::job::WaitedBy;
use crate::sync::sized;

/// So many threads may be there in place of others that wait.
pub(super) const MOST: usize = sized(256, 2);

/// A task that has called a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calling {
    /// Its id.
    pub(super) id: u64,
    /// Who waits for it, in a worker of the pool.
    pub(super) waited_by: Option<WaitedBy>,
}
