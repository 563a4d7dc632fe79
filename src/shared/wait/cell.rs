//! Waits and notifies on cells of a region: what `Atomics.wait` and `Atomics.notify` are to JavaScript.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::super::error::{Result, SharedError};
use super::super::region::Access;
use super::table::{Deliver, Enqueued, Outcome, Place, table};
use crate::cancel::CancelToken;

/// The longest a thread sleeps before it looks at its cancel token, or (JavaScript) at V8's interrupts.
pub const SLICE: Duration = Duration::from_millis(50);

/// How long a blocking call may wait, and what may stop it.
#[derive(Default, Clone, Copy)]
pub struct WaitPolicy<'a> {
    /// When to give up; never without one.
    pub deadline: Option<Instant>,
    /// What may stop it earlier; looked at every [`SLICE`].
    pub token: Option<&'a CancelToken>,
}

impl<'a> WaitPolicy<'a> {
    /// Waits for ever, unless the token stops it.
    pub fn new(token: Option<&'a CancelToken>) -> Self {
        WaitPolicy { deadline: None, token }
    }

    /// Gives up after `timeout`.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.deadline = Instant::now().checked_add(timeout);
        self
    }

    /// How long to sleep now, or why not to.
    pub fn slice(&self) -> Result<Duration> {
        if let Some(reason) = self.token.and_then(CancelToken::reason) {
            return Err(SharedError::Stopped(reason));
        }
        let Some(deadline) = self.deadline else { return Ok(SLICE) };
        let rest = deadline.saturating_duration_since(Instant::now());
        if rest.is_zero() { Err(SharedError::TimedOut) } else { Ok(rest.min(SLICE)) }
    }
}

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

/// What a cell is expected to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// In an `Int32Array`.
    I32(i32),
    /// In a `BigInt64Array`.
    I64(i64),
}

/// Joins the queue of the cell at a byte offset if it holds `expected`: the first half of a wait, for callers
/// that sleep in slices or not at all (`deliver`). Holds no use of the region while queued: when the region
/// closes the wait ends with [`Outcome::Closed`].
pub fn enqueue(
    access: &Access,
    offset: usize,
    expected: Expected,
    owner: u32,
    deliver: Option<Deliver>,
) -> Result<Enqueued<'static>> {
    let region = access.region();
    let place = Place { region: region.id(), offset };
    match expected {
        Expected::I32(value) => {
            let cell = access.cell::<AtomicI32>(offset)?;
            table()
                .enqueue(place, owner, deliver, || open_and(access, || cell.load(Ordering::SeqCst) == value))
        }
        Expected::I64(value) => {
            let cell = access.cell::<AtomicI64>(offset)?;
            table()
                .enqueue(place, owner, deliver, || open_and(access, || cell.load(Ordering::SeqCst) == value))
        }
    }
}

/// Closing marks the region first and then sweeps every shard: a waiter either sees the mark here, under the
/// shard's lock, or is swept.
fn open_and(access: &Access, holds: impl FnOnce() -> bool) -> Result<bool> {
    if access.region().is_closed() { Err(SharedError::RegionClosed) } else { Ok(holds()) }
}

/// Blocks this thread while the cell holds `expected`, until notified: `Atomics.wait` for a Rust thread.
pub fn wait(
    access: &Access,
    offset: usize,
    expected: Expected,
    owner: u32,
    policy: WaitPolicy<'_>,
) -> Result<Waited> {
    let Enqueued::Waiting(mut ticket) = enqueue(access, offset, expected, owner, None)? else {
        return Ok(Waited::NotEqual);
    };
    loop {
        let ended = match policy.slice() {
            Ok(slice) => ticket.wait_slice(slice),
            // A notify that came first has counted this waiter: it is 'ok' then.
            Err(error) if ticket.cancel() => {
                return if error == SharedError::TimedOut { Ok(Waited::TimedOut) } else { Err(error) };
            }
            Err(_) => ticket.wait_slice(Duration::ZERO),
        };
        match ended {
            None => {}
            Some(Outcome::Closed) => return Err(SharedError::RegionClosed),
            Some(Outcome::Cancelled) => return Err(SharedError::Cancelled),
            Some(_) => return Ok(Waited::Ok),
        }
    }
}

/// Wakes up to `count` who wait on the cell at a byte offset; says how many. Plain `Atomics.wait` users are not
/// in this table: the caller reaches them by V8's own notify.
pub fn notify(access: &Access, offset: usize, count: usize) -> Result<usize> {
    access.cell::<AtomicI32>(offset)?;
    Ok(table().notify(Place { region: access.region().id(), offset }, count))
}
