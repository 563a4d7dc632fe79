//! Waits and notifies on cells of a region: what `Atomics.wait` and `Atomics.notify` are to JavaScript.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use super::super::error::{Result, SharedError};
use super::super::region::Access;
use super::blocking_wait::BlockingWait;
use super::table::{CellAddress, Enqueued, Outcome, OutcomeCallback, WaiterHandle, table};
use crate::blocking::WaitLimit;

/// How a wait on a cell ended, in the words of `Atomics.wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// `'ok'`
    Ok,
    /// `'not-equal'`
    NotEqual,
    /// `'timed-out'`
    TimedOut,
}

/// The value that a cell is expected to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// In an `Int32Array`.
    I32(i32),
    /// In a `BigInt64Array`.
    I64(i64),
}

/// Joins the queue of the cell at a byte offset if it holds `expected`: the first half of a wait, for callers
/// that sleep in slices or not at all (`callback`). It holds no use of the region while queued: when the region
/// closes the wait ends with [`Outcome::Closed`].
pub fn enqueue(
    access: &Access,
    offset: usize,
    expected: Expected,
    owner: u32,
    callback: Option<OutcomeCallback>,
) -> Result<Enqueued<'static>> {
    match expected {
        Expected::I32(value) => {
            let cell = access.cell::<AtomicI32>(offset)?;
            enqueue_if(access, offset, owner, callback, || cell.load(Ordering::SeqCst) == value)
        }
        Expected::I64(value) => {
            let cell = access.cell::<AtomicI64>(offset)?;
            enqueue_if(access, offset, owner, callback, || cell.load(Ordering::SeqCst) == value)
        }
    }
}

/// Closing marks the region first and then ends the waits of every shard: a waiter either sees the mark here, under the
/// shard's lock, or its wait is ended.
fn enqueue_if(
    access: &Access,
    offset: usize,
    owner: u32,
    callback: Option<OutcomeCallback>,
    holds: impl FnOnce() -> bool,
) -> Result<Enqueued<'static>> {
    let region = access.region();
    table().enqueue(CellAddress { region: region.id(), offset }, owner, callback, || {
        if region.is_closed() { Err(SharedError::RegionClosed) } else { Ok(holds()) }
    })
}

/// A thread that waits on a cell.
struct CellWait(WaiterHandle<'static>);

impl BlockingWait for CellWait {
    type Gained = ();

    fn sleep(&mut self, limit: WaitLimit<'_>) -> Result<Option<()>> {
        match self.0.sleep(limit) {
            Err(_) => Ok(None),
            Ok(Outcome::Closed) => Err(SharedError::RegionClosed),
            Ok(Outcome::Cancelled) => Err(SharedError::Cancelled),
            Ok(_) => Ok(Some(())),
        }
    }

    fn cancel(&mut self) -> bool {
        self.0.cancel()
    }
}

/// Blocks this thread while the cell holds `expected`, until notified: `Atomics.wait` for a Rust thread. A notify that
/// comes before the limit ends the wait has counted this waiter: the answer is `Ok` then.
pub fn wait(
    access: &Access,
    offset: usize,
    expected: Expected,
    owner: u32,
    limit: WaitLimit<'_>,
) -> Result<Waited> {
    let Enqueued::Waiting(waiter) = enqueue(access, offset, expected, owner, None)? else {
        return Ok(Waited::NotEqual);
    };
    match CellWait(waiter).block(limit) {
        Ok(()) => Ok(Waited::Ok),
        Err(SharedError::TimedOut) => Ok(Waited::TimedOut),
        Err(error) => Err(error),
    }
}

/// Wakes up to `count` waiters of the cell at a byte offset; returns how many. The waiters of plain `Atomics.wait` are not
/// in this table: the caller reaches them by V8's own notify.
pub fn notify(access: &Access, offset: usize, count: usize) -> Result<usize> {
    access.cell::<AtomicI32>(offset)?;
    Ok(table().notify(CellAddress { region: access.region().id(), offset }, count))
}
