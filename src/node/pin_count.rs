//! How many pins of one environment's memory are held, on all threads (`pinned_bytes.rs`).

use parking_lot::{Condvar, Mutex};

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
        while *held > 0 {
            self.none.wait(&mut held);
        }
    }
}
