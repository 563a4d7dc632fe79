//! Counters of a pool. Relaxed atomics: each is a number to look at, none orders anything.

use std::time::Duration;

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Default)]
pub(super) struct Counters {
    submitted: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    wait_nanos: AtomicU64,
    run_nanos: AtomicU64,
    started: AtomicU64,
}

/// A pool at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Threads alive.
    pub threads: usize,
    /// Threads without work.
    pub idle: usize,
    /// Entries waiting in the queue.
    pub queued: usize,
    /// Tasks running.
    pub running: usize,
    /// Tasks accepted since the pool was made.
    pub submitted: u64,
    /// Tasks that returned a value.
    pub completed: u64,
    /// Tasks that reported an error or panicked.
    pub failed: u64,
    /// Tasks cancelled, timed out or dropped by a forced close.
    pub cancelled: u64,
    /// Tasks (a batch counts once for each thread that joins it) that have started.
    pub started: u64,
    /// Time spent waiting in the queue, all started tasks together.
    pub wait: Duration,
    /// Time spent running, all tasks together.
    pub run: Duration,
}

impl Counters {
    pub(super) fn accepted(&self, count: usize) {
        self.submitted.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn started(&self, waited: Duration) {
        self.started.fetch_add(1, Relaxed);
        self.wait_nanos.fetch_add(nanos(waited), Relaxed);
    }

    pub(super) fn ran(&self, time: Duration) {
        self.run_nanos.fetch_add(nanos(time), Relaxed);
    }

    pub(super) fn completed(&self, count: usize) {
        self.completed.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(super) fn cancelled(&self, count: usize) {
        self.cancelled.fetch_add(count as u64, Relaxed);
    }

    pub(super) fn fill(&self, stats: &mut Stats) {
        stats.submitted = self.submitted.load(Relaxed);
        stats.completed = self.completed.load(Relaxed);
        stats.failed = self.failed.load(Relaxed);
        stats.cancelled = self.cancelled.load(Relaxed);
        stats.started = self.started.load(Relaxed);
        stats.wait = Duration::from_nanos(self.wait_nanos.load(Relaxed));
        stats.run = Duration::from_nanos(self.run_nanos.load(Relaxed));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
