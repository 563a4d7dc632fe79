//! An acquisition that has to wait: in slices, by callback, or blocking to the end.

use std::time::Duration;

use super::super::error::{Result, SharedError};
use super::super::wait::{Deliver, Outcome, Ticket, WaitPolicy};

/// What one attempt to acquire has led to.
pub(super) enum Step<'t> {
    /// It is the caller's; for a reader or permit with a number.
    Acquired(u32),
    /// It is queued.
    Waiting(Ticket<'t>),
}

/// How to acquire one thing for one owner.
pub(super) trait Request: Sized {
    /// Tries, and queues when it must. `lost` says how often this request was woken and came too late.
    fn attempt(&self, lost: u32, deliver: Option<Deliver>) -> Result<Step<'static>>;
    /// Gives back what was granted to a waiter that wants it no longer.
    fn give_back(&self, granted: u32);
    /// The waiter has left the queue, or was woken and will not use it: sees to it that those behind go on.
    fn moved_on(&self);
}

/// An acquisition under way, with its place in the queue.
///
/// Blocking: `wait_slice` until it says acquired, with whatever the thread must do between slices. By callback: the
/// outcome comes to the callback (see [`acquired`]); keep the `Pending` to cancel it.
/// Dropping a blocking one gives up; one by callback goes on by itself.
#[allow(private_bounds)]
pub struct Pending<R: Request> {
    request: R,
    ticket: Option<Ticket<'static>>,
    lost: u32,
}

/// What an outcome delivered to a callback of a lock means: acquired (with a reader's slot), or why not.
/// Only a blocking waiter is woken to try again; a callback is always granted.
pub fn acquired(outcome: Outcome) -> Result<u32> {
    match outcome {
        Outcome::Granted(granted) => Ok(granted),
        Outcome::Woken => Ok(0),
        Outcome::Cancelled => Err(SharedError::Cancelled),
        Outcome::Closed => Err(SharedError::RegionClosed),
        Outcome::Broken => Err(SharedError::OwnerDied),
    }
}

#[allow(private_bounds)]
impl<R: Request> Pending<R> {
    /// Begins; `Ok(Err(granted))` when it needed no waiting.
    pub(super) fn begin(request: R, deliver: Option<Deliver>) -> Result<std::result::Result<Self, u32>> {
        match request.attempt(0, deliver)? {
            Step::Acquired(granted) => Ok(Err(granted)),
            Step::Waiting(ticket) => Ok(Ok(Pending { request, ticket: Some(ticket), lost: 0 })),
        }
    }

    /// Sleeps until acquired (with the reader's slot or 0) or `slice` has passed (`None`: still in the queue).
    /// After an error or an acquisition the `Pending` is spent.
    pub fn wait_slice(&mut self, slice: Duration) -> Result<Option<u32>> {
        let Some(ticket) = self.ticket.as_mut() else { return Err(SharedError::Cancelled) };
        let Some(outcome) = ticket.wait_slice(slice) else { return Ok(None) };
        self.ticket = None;
        if outcome != Outcome::Woken {
            return acquired(outcome).map(Some);
        }
        self.lost += 1;
        match self.request.attempt(self.lost, None)? {
            Step::Acquired(granted) => Ok(Some(granted)),
            Step::Waiting(ticket) => {
                self.ticket = Some(ticket);
                Ok(None)
            }
        }
    }

    /// Gives up: true. Or the acquisition was granted already and is the caller's: false, and `wait_slice` (or the
    /// callback) tells it.
    pub fn cancel(&mut self) -> bool {
        let Some(ticket) = self.ticket.as_mut() else { return true };
        if ticket.cancel() {
            self.ticket = None;
            self.request.moved_on();
            return true;
        }
        if ticket.is_callback() {
            return false;
        }
        match ticket.wait_slice(Duration::ZERO) {
            Some(Outcome::Granted(_)) => false,
            Some(Outcome::Woken) => {
                self.ticket = None;
                self.request.moved_on();
                true
            }
            _ => {
                self.ticket = None;
                true
            }
        }
    }

    /// Blocks until acquired.
    pub fn wait(mut self, policy: WaitPolicy<'_>) -> Result<u32> {
        loop {
            let got = match policy.slice() {
                Ok(slice) => self.wait_slice(slice)?,
                Err(error) if self.cancel() => return Err(error),
                Err(_) => self.wait_slice(Duration::ZERO)?,
            };
            if let Some(granted) = got {
                return Ok(granted);
            }
        }
    }

    /// Gives up an acquisition whose end nobody will see, one by callback too: what was granted goes back unharmed.
    pub fn abandon(mut self) {
        self.give_up();
        self.ticket = None;
    }

    fn give_up(&mut self) {
        if self.cancel() {
            return;
        }
        if let Some(Outcome::Granted(granted)) =
            self.ticket.as_mut().and_then(|t| t.wait_slice(Duration::ZERO))
        {
            self.request.give_back(granted);
        }
    }
}

impl<R: Request> Drop for Pending<R> {
    fn drop(&mut self) {
        if !self.ticket.as_ref().is_none_or(Ticket::is_callback) {
            self.give_up();
        }
    }
}
