//! The token by which a task learns that it should stop.
//!
//! One atomic byte, shared by the caller, the pool and the task. It moves once, from live to one of the reasons,
//! and never back. The store is `Release` and the load `Acquire`, so whatever the canceller wrote before it is
//! seen by a task that has seen the flag.

use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::{Arc, Condvar, Mutex, wait_for};

const LIVE: u8 = 0;

/// Why a task should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The caller aborted it.
    Cancelled = 1,
    /// Its time is up.
    TimedOut = 2,
    /// The pool was destroyed, or the JavaScript thread that owned it ended.
    PoolClosed = 3,
}

impl Reason {
    /// The error a task stopped for this reason reports.
    pub fn into_error(self) -> Error {
        match self {
            Reason::Cancelled => Error::new(Code::TaskCancelled, "the task was cancelled"),
            Reason::TimedOut => Error::new(Code::TaskTimeout, "the task's time was up"),
            Reason::PoolClosed => Error::new(Code::PoolClosed, "the pool was destroyed while the task ran"),
        }
    }

    /// The same for a task that had not begun: it can be run again elsewhere.
    pub fn into_error_before(self) -> Error {
        match self {
            Reason::PoolClosed => {
                Error::new(Code::PoolClosed, "the pool was destroyed before the task began")
            }
            _ => self.into_error(),
        }
    }
}

struct State {
    reason: AtomicU8,
    deadline: Option<Instant>,
    sleeping: Mutex<()>,
    wake: Condvar,
}

/// A handle on one task's cancellation.
#[derive(Clone)]
pub struct CancelToken(Arc<State>);

impl CancelToken {
    /// A live token; with a deadline it also reports [`Reason::TimedOut`] from then on.
    pub fn new(deadline: Option<Instant>) -> Self {
        CancelToken(Arc::new(State {
            reason: AtomicU8::new(LIVE),
            deadline,
            sleeping: Mutex::new(()),
            wake: Condvar::new(),
        }))
    }

    /// Asks the task to stop. The first reason given is the one that counts.
    pub fn cancel(&self, reason: Reason) {
        let state = &*self.0;
        if state.reason.compare_exchange(LIVE, reason as u8, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            // Taking the lock orders this after a sleeper's check of the flag: it is either seen or woken.
            drop(state.sleeping.lock());
            state.wake.notify_all();
        }
    }

    /// The reason to stop, if there is one.
    pub fn reason(&self) -> Option<Reason> {
        match self.0.reason.load(Ordering::Acquire) {
            LIVE => match self.0.deadline {
                Some(deadline) if Instant::now() >= deadline => Some(Reason::TimedOut),
                _ => None,
            },
            1 => Some(Reason::Cancelled),
            2 => Some(Reason::TimedOut),
            _ => Some(Reason::PoolClosed),
        }
    }

    /// Whether somebody has told the task to stop; a deadline alone does not count.
    pub(crate) fn was_cancelled(&self) -> bool {
        self.0.reason.load(Ordering::Acquire) != LIVE
    }

    /// An error when the task should stop: for `?` inside loops.
    pub fn check(&self) -> Result<()> {
        self.reason().map_or(Ok(()), |reason| Err(reason.into_error()))
    }

    /// When the task's time is up.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// Sleeps for `duration` or until cancelled, whichever is first.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        let state = &*self.0;
        let wanted = Instant::now().checked_add(duration);
        let until = match (wanted, state.deadline) {
            (Some(wanted), Some(deadline)) => Some(wanted.min(deadline)),
            (wanted, deadline) => wanted.or(deadline),
        };
        let mut guard = state.sleeping.lock();
        loop {
            self.check()?;
            let Some(until) = until else {
                state.wake.wait(&mut guard);
                continue;
            };
            let now = Instant::now();
            if now >= until {
                // A deadline that cut the sleep short was reported by `check` above on this same turn or is now.
                return self.check();
            }
            wait_for(&state.wake, &mut guard, until - now);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_counts() {
        let token = CancelToken::new(None);
        assert_eq!(token.reason(), None);
        token.cancel(Reason::TimedOut);
        token.cancel(Reason::Cancelled);
        assert_eq!(token.reason(), Some(Reason::TimedOut));
        assert_eq!(token.check().unwrap_err().code(), Code::TaskTimeout);
    }

    #[test]
    fn a_deadline_in_the_past_is_a_timeout() {
        let token = CancelToken::new(Some(Instant::now()));
        assert_eq!(token.reason(), Some(Reason::TimedOut));
    }

    #[test]
    fn a_sleeper_is_woken_by_cancel() {
        let token = CancelToken::new(None);
        let other = token.clone();
        let started = Instant::now();
        let sleeper = std::thread::spawn(move || other.sleep(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(20));
        token.cancel(Reason::Cancelled);
        assert_eq!(sleeper.join().unwrap().unwrap_err().code(), Code::TaskCancelled);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_sleep_ends_at_the_deadline_with_a_timeout() {
        let token = CancelToken::new(Some(Instant::now() + Duration::from_millis(15)));
        assert_eq!(token.sleep(Duration::from_secs(60)).unwrap_err().code(), Code::TaskTimeout);
    }

    #[test]
    fn a_sleep_that_is_not_cancelled_takes_its_time() {
        let token = CancelToken::new(None);
        let started = Instant::now();
        token.sleep(Duration::from_millis(15)).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(15));
    }
}
