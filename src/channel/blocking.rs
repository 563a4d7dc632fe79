//! The forms that put the calling thread to sleep: for Rust threads, and in slices for JavaScript threads.
//!
//! The shape is the same for both directions: under the lock, try; if there is nothing to do, be counted as a
//! sleeper and wait; on any way out pass the baton (see "Sleepers" in `inbox.rs`).

use std::time::{Duration, Instant};

use super::inbox::{After, Inbox};
use super::message::{Message, Received, Refusal, Refused};
use super::port::Port;
use crate::cancel::{CancelToken, Reason};
use crate::sync::{Condvar, MutexGuard, wait_for};

/// How long a thread sleeps at most before it looks at its cancel token: the token has no way to wake a condition
/// variable that is not its own.
const CANCEL_SLICE: Duration = Duration::from_millis(10);

impl Port {
    /// The oldest message, waiting up to `slice` for one. For a JavaScript thread: call it from a small JavaScript
    /// function in a loop, with slices of 100 ms or less, so that `terminate` gets its turn in between.
    /// [`Port::interrupt`] ends it early with [`Received::Empty`].
    pub fn receive_slice(&self, slice: Duration) -> Received {
        match self.receive(Some(slice), None) {
            Ok(received) => received,
            Err(_) => Received::Empty,
        }
    }

    /// The oldest message, waiting for one: for ever, or up to `timeout`, and as long as `cancel` allows.
    /// [`Received::Empty`] says that the time was up, or that [`Port::interrupt`] was called.
    ///
    /// # Errors
    /// The reason of `cancel`, which is looked at first and at least every 10 ms.
    pub fn receive(
        &self,
        timeout: Option<Duration>,
        cancel: Option<&CancelToken>,
    ) -> Result<Received, Reason> {
        let seat = &*self.0;
        let end = seat.own();
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut after = After::default();
        let mut inbox = end.inbox.lock();
        let interrupts = inbox.interrupts();
        let outcome = loop {
            if let Some(reason) = cancel.and_then(CancelToken::reason) {
                break Err(reason);
            }
            match inbox.take_one(seat.tenure(), &mut after) {
                Received::Empty if inbox.interrupts() == interrupts => {}
                received => break Ok(received),
            }
            let Some(nap) = nap(until, cancel) else { break Ok(Received::Empty) };
            inbox.reader_sleeps();
            sleep(&end.arrived, &mut inbox, nap);
            inbox.reader_wakes();
        };
        inbox.reader_leaves(&mut after);
        drop(inbox);
        seat.settle_own(after);
        outcome
    }

    /// Posts, waiting for room: for ever, or up to `timeout`, and as long as `cancel` allows (looked at first and
    /// at least every 10 ms). Several waiting threads get room in no promised order.
    ///
    /// # Errors
    /// The message with the reason: [`Refusal::TimedOut`], [`Refusal::Cancelled`], [`Refusal::Closed`],
    /// [`Refusal::Detached`] or [`Refusal::Looped`].
    pub fn post_blocking(
        &self,
        message: Message,
        timeout: Option<Duration>,
        cancel: Option<&CancelToken>,
    ) -> Result<(), Refused> {
        let seat = &*self.0;
        if seat.loops(&message) {
            return Err(Refused { message, why: Refusal::Looped });
        }
        let end = seat.peer();
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut inbox = end.inbox.lock();
        let why = loop {
            if let Some(reason) = cancel.and_then(CancelToken::reason) {
                break Refusal::Cancelled(reason);
            }
            match inbox.admits_now(seat.tenure()) {
                Ok(()) => {
                    let mut after = inbox.append(message);
                    inbox.writer_leaves(&mut after);
                    drop(inbox);
                    seat.settle_peer(after);
                    return Ok(());
                }
                Err(Refusal::Full) => {}
                Err(why) => break why,
            }
            let Some(nap) = nap(until, cancel) else { break Refusal::TimedOut };
            inbox.writer_sleeps();
            sleep(&end.room, &mut inbox, nap);
            inbox.writer_wakes();
        };
        let mut after = After::default();
        inbox.writer_leaves(&mut after);
        drop(inbox);
        seat.settle_peer(after);
        Err(Refused { message, why })
    }
}

/// How long to sleep before looking again: `Some(None)` until notified, `None` when the time is up.
fn nap(until: Option<Instant>, cancel: Option<&CancelToken>) -> Option<Option<Duration>> {
    let left = match until {
        None => None,
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            Some(left)
        }
    };
    if cancel.is_none() {
        return Some(left);
    }
    Some(Some(left.map_or(CANCEL_SLICE, |left| left.min(CANCEL_SLICE))))
}

fn sleep(condvar: &Condvar, inbox: &mut MutexGuard<'_, Inbox>, nap: Option<Duration>) {
    match nap {
        None => condvar.wait(inbox),
        Some(nap) => {
            wait_for(condvar, inbox, nap);
        }
    }
}
