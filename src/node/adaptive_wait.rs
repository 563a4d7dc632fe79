//! When a worker thread waits in place, for a moment, for the next event.
//!
//! Two threads that take turns (a message and its reply, a task and its answer) sleep and are woken once for each. A
//! sleep in the event loop costs two polls, a read and a write; a sleep on a condition variable costs one system call
//! at either end. So a worker that has just been part of such an exchange, many times in a row and each time soon,
//! waits for the next event where it is, asleep, before it goes back to its event loop. The first time that none
//! comes it stops doing so, and if the waiting did not pay, more quick exchanges are needed before it begins again.
//!
//! A wait ends after one to two ticks of the watchdog (`watchdog.rs`), so timers and I/O of that worker are late by so
//! much at the most; while the exchange goes on they get their turn as during any other deliveries. The main thread
//! never waits in place.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A reply that takes longer is not worth waiting for.
const SOON: Duration = Duration::from_micros(100);
/// Quick exchanges in a row before it waits, at first and at the most.
const ENOUGH: u32 = 8;
const MANY: u32 = 128;
/// So many waits that were not in vain pay for one that was.
const PAYS: u32 = 50;

/// The state of one environment in an exchange. Only its own thread uses it.
pub(crate) struct AdaptiveWait {
    /// Whether this thread may wait in place at all.
    allowed: Cell<bool>,
    asleep_since: Cell<Option<Instant>>,
    received: Cell<usize>,
    sent: Cell<bool>,
    /// Quick exchanges so far.
    quick: Cell<u32>,
    /// Of these, as many are needed.
    needed: Cell<u32>,
}

impl Default for AdaptiveWait {
    fn default() -> Self {
        AdaptiveWait {
            allowed: Cell::default(),
            asleep_since: Cell::default(),
            received: Cell::default(),
            sent: Cell::default(),
            quick: Cell::default(),
            needed: Cell::new(ENOUGH),
        }
    }
}

impl AdaptiveWait {
    /// Whether waiting is possible from now on.
    pub(super) fn allow(&self, allowed: bool) {
        self.allowed.set(allowed);
    }

    /// Messages or tasks were received.
    pub(crate) fn received(&self, count: usize) {
        self.received.set(self.received.get() + count);
    }

    /// A message or an answer was sent.
    pub(crate) fn sent(&self) {
        self.sent.set(true);
    }

    /// The event loop was woken. Messages sent since the last time count, so that listeners which reply later in
    /// that turn of the loop do.
    pub(super) fn woken(&self) {
        if self.asleep_since.take().is_some_and(|since| since.elapsed() <= SOON) {
            self.exchanged();
        } else {
            // A pause is no end yet: the other thread may have collected garbage.
            self.quick.set(self.quick.get() / 2);
            self.forget();
        }
    }

    /// Whether it is worth while to wait after a batch.
    pub(super) fn is_worth_while(&self) -> bool {
        self.quick.get() >= self.needed.get() && self.allowed.get()
    }

    /// Counts what was received and sent as an exchange, or as none.
    pub(super) fn exchanged(&self) {
        // More than one at a time is a burst: those come in batches while the thread is busy, and that is better.
        let quick =
            if self.received.get() == 1 && self.sent.get() { self.quick.get().saturating_add(1) } else { 0 };
        self.quick.set(quick);
        self.forget();
    }

    /// Nothing came.
    pub(super) fn in_vain(&self) {
        let paid = self.quick.get() >= self.needed.get() + PAYS;
        self.needed.set(if paid { ENOUGH } else { MANY.min(self.needed.get() * 2) });
        self.quick.set(0);
    }

    /// The thread goes back to its event loop.
    pub(super) fn asleep(&self) {
        if self.allowed.get() {
            self.asleep_since.set(Some(Instant::now()));
        }
    }

    fn forget(&self) {
        self.received.set(0);
        self.sent.set(false);
    }
}
