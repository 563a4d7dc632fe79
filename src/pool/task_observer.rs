//! The observer of tasks: the one trait through which the pool reports what happens to each task.
//!
//! ```text
//! queued ──► started ──► left, ended        a native thread or a script worker has run it
//!    │  └──► ended                          it was dropped while it waited: cancelled, or failed with its worker
//!    └─────► retracted                      its input could not be sent: as if it had never been queued
//! refused                                   the queue was full, or the pool closed
//! ```
//!
//! The one observer today is the [`Tally`](super::counters::Tally), of which there are several: one for each native thread's
//! slot, one for everything under the pool's lock (submissions, script workers), and one for tasks that are dropped outside
//! of it. So no counter is contended. Calls are static: an observer that ignores something costs nothing.
//!
//! Histograms and traces are no observers. A thread runs short tasks in groups without a look at the clock, so their times are
//! known by group (`recorder.rs`); and a trace wants ids (`trace.rs`). Both stand beside the calls of the tally (`worker.rs`,
//! `scripts.rs`).

use super::position::Taker;
use crate::error::{Code, Error, Result};

/// Which task something happened to. All jobs of one task have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TaskRef {
    pub(super) taker: Taker,
    /// The number of a native task, or of a script's function.
    pub(super) number: usize,
}

impl TaskRef {
    pub(super) fn native(number: usize) -> Self {
        TaskRef { taker: Taker::Native, number }
    }

    pub(super) fn script(number: usize) -> Self {
        TaskRef { taker: Taker::Script, number }
    }
}

/// A moment, in nanoseconds since the pool was made: shorter than an `Instant`, and quicker to subtract.
pub(super) type Age = u64;

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Failed,
    /// It was stopped: cancelled, timed out, or dropped by a forced close.
    Cancelled,
}

impl End {
    pub(super) fn of<T>(outcome: &Result<T>) -> Self {
        outcome.as_ref().map_or_else(End::of_error, |_| End::Completed)
    }

    /// Of a task that reports this error: it was stopped, or failed by itself.
    pub(super) fn of_error(error: &Error) -> Self {
        match error.code() {
            Code::TaskCancelled | Code::TaskTimeout | Code::Deadline | Code::PoolClosed => End::Cancelled,
            _ => End::Failed,
        }
    }
}

/// How the tasks of one chunk of a batch have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) completed: usize,
    pub(super) failed: usize,
    pub(super) cancelled: usize,
}

impl Ended {
    /// Adds a task that ended with this error.
    pub(super) fn add_error(&mut self, error: &Error) {
        match End::of_error(error) {
            End::Cancelled => self.cancelled += 1,
            End::Failed | End::Completed => self.failed += 1,
        }
    }

    /// How many ended each way; no zeros.
    pub(super) fn counts(self) -> impl Iterator<Item = (End, usize)> {
        [(End::Completed, self.completed), (End::Failed, self.failed), (End::Cancelled, self.cancelled)]
            .into_iter()
            .filter(|(_, count)| *count > 0)
    }
}

/// Told of each step of each task. Every call comes from one thread at a time for each observer, some with the pool's lock
/// held: an observer takes no lock and calls no code of others.
pub(super) trait TaskObserver {
    /// `count` tasks were accepted, as one entry.
    fn queued(&self, _task: TaskRef, _count: usize, _at: Age) {}
    /// `count` tasks were not accepted.
    fn refused(&self, _task: TaskRef, _count: usize, _why: &Error) {}
    /// One that was accepted was taken back.
    fn retracted(&self, _task: TaskRef) {}
    /// A thread begins an entry: of a batch, each thread that works on it. Of short tasks that a thread runs one after the
    /// other without a look at the clock, all begin when the first does.
    fn started(&self, _task: TaskRef, _queued_at: Age, _at: Age) {}
    /// A thread is done with an entry that it had started. Not called for the jobs of a script worker that died: only their
    /// end is reported.
    fn left(&self, _task: TaskRef, _started: Age, _at: Age) {}
    /// `count` tasks have ended so, whether they had started or not. Told before they are answered: a caller that has the
    /// answer finds it counted.
    fn ended(&self, _task: TaskRef, _end: End, _count: usize) {}
}
