//! What stops a run.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rust_workers_abi::stop;

/// Stops the runs that it was given to, from any thread or from a listener.
#[derive(Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    reason: Mutex<u32>,
    set: Condvar,
}

impl Stop {
    /// One that stops nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As if the task's signal was aborted.
    pub fn cancel(&self) {
        self.set(stop::CANCELLED);
    }

    /// As if the pool was destroyed.
    pub fn close(&self) {
        self.set(stop::CLOSING);
    }

    fn set(&self, reason: u32) {
        let mut current = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == stop::RUN_ON {
            *current = reason;
        }
        drop(current);
        self.0.set.notify_all();
    }

    pub(super) fn reason(&self, deadline: Option<Instant>) -> u32 {
        match *self.0.reason.lock().unwrap_or_else(PoisonError::into_inner) {
            stop::RUN_ON if deadline.is_some_and(|deadline| deadline <= Instant::now()) => stop::TIMEOUT,
            reason => reason,
        }
    }

    /// Whether it slept all that time.
    pub(super) fn sleep(&self, time: Duration, deadline: Option<Instant>) -> bool {
        let wake = Instant::now().checked_add(time);
        let mut reason = self.0.reason.lock().unwrap_or_else(PoisonError::into_inner);
        while *reason == stop::RUN_ON {
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return false;
            }
            if wake.is_some_and(|wake| wake <= now) {
                return true;
            }
            let next = [wake, deadline].into_iter().flatten().min();
            reason = match next {
                Some(next) => {
                    let waited = self.0.set.wait_timeout(reason, next - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.0.set.wait(reason).unwrap_or_else(PoisonError::into_inner),
            };
        }
        false
    }
}
