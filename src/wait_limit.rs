//! What ends a wait of a Rust thread early, and how such a thread blocks: one mechanism for ports, locks, cells of shared memory and claims.
//!
//! A [`WaitLimit`] says what may end a wait early: its own time limit, and the token of the task that waits (cancelled, its
//! time up, its pool closed). A blocked thread sleeps on a condition variable until somebody notifies it. Nothing is polled:
//! a token that is cancelled notifies the thread, by a waker that `Blocked::sleep` registers (`cancel.rs` has the
//! protocol and its races).
//!
//! A JavaScript thread that blocks in native code must come back every now and then, since V8 can only stop it in
//! JavaScript. It uses the same waits with a short time limit (a *slice*) and no token.

use std::time::Duration;

use crate::cancel::{CancelRegistration, CancelToken, Reason};
use crate::sync::{Condvar, Instant, MutexGuard, wait_until};

/// The causes that may end a wait early. By default there are none: the wait lasts until the awaited event.
#[derive(Default, Clone, Copy)]
pub struct WaitLimit<'a> {
    deadline: Option<Instant>,
    token: Option<&'a CancelToken>,
}

/// Why a wait ended before what it waited for was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedEarly {
    /// The wait's own time limit has passed.
    TimedOut,
    /// The task that waits must stop.
    Stopped(Reason),
}

impl<'a> WaitLimit<'a> {
    /// Without a time limit: only the token, where there is one, ends the wait early.
    pub fn new(token: Option<&'a CancelToken>) -> Self {
        WaitLimit { deadline: None, token }
    }

    /// The same with a time limit, which begins now. The sooner of two time limits counts.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        // A time that `Instant` cannot represent counts as never.
        if let Some(deadline) = Instant::now().checked_add(timeout) {
            self.deadline = Some(self.deadline.map_or(deadline, |sooner| sooner.min(deadline)));
        }
        self
    }

    /// An error when the wait must end now. The token comes before the time limit.
    pub fn check(&self) -> Result<(), EndedEarly> {
        if let Some(reason) = self.stopped() {
            return Err(EndedEarly::Stopped(reason));
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(EndedEarly::TimedOut),
            _ => Ok(()),
        }
    }

    /// The token's reason to stop, where there is one.
    pub fn stopped(&self) -> Option<Reason> {
        self.token.and_then(CancelToken::reason)
    }

    /// Begins a wait with this limit.
    pub(crate) fn begin(self) -> Blocked<'a> {
        Blocked { limit: self, registration: None }
    }
}

/// One wait of one thread. It ends when this is dropped.
pub(crate) struct Blocked<'a> {
    limit: WaitLimit<'a>,
    /// The waker with the token, once the thread has slept.
    registration: Option<CancelRegistration<'a>>,
}

impl Blocked<'_> {
    /// Sleeps on `condvar` until somebody notifies it, or until the wait must end early, which is an error. After a success
    /// the caller looks again for what it waits for, under the lock of `guard`, and sleeps again if it is not there.
    ///
    /// `waker` gives what the token calls when it is cancelled. It must notify `condvar` after it has taken the lock of
    /// `guard` and released it: then a cancellation between the check in here and the sleep is not missed. It is called at
    /// most once for a wait, and only where there is a token, so that a wait without one costs no memory.
    pub(crate) fn sleep<T, W: FnOnce() + Send + 'static>(
        &mut self,
        condvar: &Condvar,
        guard: &mut MutexGuard<'_, T>,
        waker: impl FnOnce() -> W,
    ) -> Result<(), EndedEarly> {
        if let (Some(token), None) = (self.limit.token, &self.registration) {
            self.registration = Some(token.on_cancel(waker()));
        }
        // After the registration: a token that was cancelled before it calls no waker.
        self.limit.check()?;
        let deadline =
            self.limit.token.map_or(self.limit.deadline, |token| token.sooner(self.limit.deadline));
        match deadline {
            Some(deadline) => wait_until(condvar, guard, deadline),
            None => condvar.wait(guard),
        }
        Ok(())
    }
}
