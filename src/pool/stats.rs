//! What a pool counts.
//!
//! Each thread has a tally of its own, on cache lines of its own, and is the only one that writes to it: so counting
//! costs no contended atomic. Whoever asks adds them up.

use std::time::Duration;

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that one thread writes and any thread reads. Relaxed: it is a number to look at and orders nothing.
#[derive(Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, amount: u64) {
        // Not a read-modify-write: only the owner writes.
        self.0.store(self.0.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What one thread of a pool has done. 128: two cache lines, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Tally {
    completed: Count,
    failed: Count,
    cancelled: Count,
    wait_nanos: Count,
    run_nanos: Count,
}

/// A pool at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Threads alive.
    pub threads: usize,
    /// Threads without work.
    pub idle: usize,
    /// Script workers alive or starting.
    pub workers: usize,
    /// Script workers among them without work.
    pub idle_workers: usize,
    /// Entries waiting in the queue.
    pub queued: usize,
    /// Entries being run: a batch counts once for each thread in it.
    pub running: usize,
    /// Tasks accepted since the pool was made.
    pub submitted: u64,
    /// Tasks that returned a value.
    pub completed: u64,
    /// Tasks that reported an error or panicked.
    pub failed: u64,
    /// Tasks cancelled, timed out or dropped by a forced close.
    pub cancelled: u64,
    /// Time spent waiting in the queue, all started entries together.
    pub wait: Duration,
    /// Time spent running, all threads together.
    pub run: Duration,
}

impl Tally {
    pub(super) fn waited(&self, time: Duration) {
        self.wait_nanos.add(nanos(time));
    }

    pub(super) fn ran(&self, time: Duration) {
        self.run_nanos.add(nanos(time));
    }

    pub(super) fn completed(&self, count: usize) {
        self.completed.add(count as u64);
    }

    pub(super) fn failed(&self) {
        self.failed.add(1);
    }

    pub(super) fn cancelled(&self) {
        self.cancelled.add(1);
    }

    pub(super) fn add_to(&self, stats: &mut Stats) {
        stats.completed += self.completed.get();
        stats.failed += self.failed.get();
        stats.cancelled += self.cancelled.get();
        stats.wait += Duration::from_nanos(self.wait_nanos.get());
        stats.run += Duration::from_nanos(self.run_nanos.get());
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
