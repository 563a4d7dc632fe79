//! How many pins of one environment's memory are held, on all threads (`pinned_bytes.rs`).

use parking_lot::{Condvar, Mutex};

use crate::panic::{LONG, waits_long};

/// The count.
#[derive(Default)]
pub(super) struct PinCount {
    held: Mutex<usize>,
    none: Condvar,
}

impl PinCount {
    pub(super) fn add(&self) {
        *self.held.lock() += 1;
    }

    pub(super) fn remove(&self) {
        let mut held = self.held.lock();
        *held -= 1;
        if *held == 0 {
            self.none.notify_all();
        }
    }

    /// Blocks until no pin is held.
    pub(super) fn wait_for_none(&self) {
        let mut held = self.held.lock();
        if *held > 0 && self.none.wait_while_for(&mut held, |held| *held > 0, LONG).timed_out() {
            waits_long("memory");
        }
        self.none.wait_while(&mut held, |held| *held > 0);
    }
}
