//! An acquisition that has to wait: in slices, by callback, or blocking to the end.

use super::super::error::{Result, SharedError};
use super::super::wait::{BlockingWait, Outcome, OutcomeCallback, WaiterHandle};
use crate::blocking::WaitLimit;

/// The result of one attempt to acquire.
pub(super) enum Step<'t> {
    /// Acquired; with a number for a reader or for permits.
    Acquired(u32),
    /// Queued.
    Waiting(WaiterHandle<'t>),
}

/// How to acquire one thing for one owner.
pub(super) trait Request: Sized {
    /// Tries, and queues if it must wait. `lost` says how often this request was woken and came too late.
    fn attempt(&self, lost: u32, callback: Option<OutcomeCallback>) -> Result<Step<'static>>;
    /// Returns a grant that the waiter no longer wants.
    fn give_back(&self, granted: u32);
    /// The waiter has left the queue, or was woken and does not use it: lets those behind it go on.
    fn moved_on(&self);
}

/// An acquisition that waits in the queue.
///
/// Blocking: sleep until it says acquired, in slices with whatever the thread must do between them, or to the end. By
/// callback: the outcome comes to the callback (see `acquired`); keep the `Pending` to cancel it.
/// Dropping a blocking acquisition ends it; one with a callback goes on by itself.
#[allow(private_bounds)]
pub struct Pending<R: Request> {
    request: R,
    /// `None` once the wait has ended.
    waiter: Option<WaiterHandle<'static>>,
    lost: u32,
}

/// Interprets an outcome that a lock's callback gets: acquired (with a reader's slot), or the error.
/// Only a blocking waiter is woken to try again; a waiter with a callback is always granted the lock.
pub(super) fn acquired(outcome: Outcome) -> Result<u32> {
    match outcome {
        Outcome::Granted(granted) => Ok(granted),
        Outcome::Woken => Ok(0),
        Outcome::Cancelled => Err(SharedError::Cancelled),
        Outcome::Closed => Err(SharedError::RegionClosed),
        Outcome::Broken => Err(SharedError::OwnerDied),
    }
}

/// After an error or an acquisition the `Pending` is of no more use.
impl<R: Request> BlockingWait for Pending<R> {
    /// A reader's slot, or 0.
    type Gained = u32;

    fn sleep(&mut self, limit: WaitLimit<'_>) -> Result<Option<u32>> {
        let Some(waiter) = self.waiter.as_mut() else { return Err(SharedError::Cancelled) };
        let Ok(outcome) = waiter.sleep(limit) else { return Ok(None) };
        self.waiter = None;
        if outcome != Outcome::Woken {
            return acquired(outcome).map(Some);
        }
        self.lost += 1;
        match self.request.attempt(self.lost, None)? {
            Step::Acquired(granted) => Ok(Some(granted)),
            Step::Waiting(waiter) => {
                self.waiter = Some(waiter);
                Ok(None)
            }
        }
    }

    /// Gives up: true. Or the acquisition was granted already and is the caller's: false, and `sleep` (or the
    /// callback) tells it.
    fn cancel(&mut self) -> bool {
        let Some(waiter) = self.waiter.as_mut() else { return true };
        if waiter.cancel() {
            self.waiter = None;
            self.request.moved_on();
            return true;
        }
        if waiter.has_callback() {
            return false;
        }
        match waiter.outcome() {
            Some(Outcome::Granted(_)) => false,
            Some(Outcome::Woken) => {
                self.waiter = None;
                self.request.moved_on();
                true
            }
            _ => {
                self.waiter = None;
                true
            }
        }
    }
}

#[allow(private_bounds)]
impl<R: Request> Pending<R> {
    /// Begins; `Ok(Err(granted))` when it needed no waiting.
    pub(super) fn begin(
        request: R,
        callback: Option<OutcomeCallback>,
    ) -> Result<std::result::Result<Self, u32>> {
        match request.attempt(0, callback)? {
            Step::Acquired(granted) => Ok(Err(granted)),
            Step::Waiting(waiter) => Ok(Ok(Pending { request, waiter: Some(waiter), lost: 0 })),
        }
    }

    /// Gives up an acquisition whose end nobody will see, one with a callback too: an unseen grant is returned, and the lock
    /// is not poisoned.
    pub(super) fn abandon(mut self) {
        self.give_up();
        self.waiter = None;
    }

    fn give_up(&mut self) {
        if self.cancel() {
            return;
        }
        if let Some(Outcome::Granted(granted)) = self.waiter.as_mut().and_then(WaiterHandle::outcome) {
            self.request.give_back(granted);
        }
    }
}

impl<R: Request> Drop for Pending<R> {
    fn drop(&mut self) {
        if !self.waiter.as_ref().is_none_or(WaiterHandle::has_callback) {
            self.give_up();
        }
    }
}
