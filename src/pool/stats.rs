//! What a pool counts.
//!
//! Each thread has a tally of its own, on cache lines of its own, and is the only one that writes to it: so counting
//! costs no contended atomic. Whoever asks adds them up.
//!
//! A task is counted before it is answered: who has the answer finds it in the counters.

use std::time::Duration;

use crate::error::{Code, Error};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

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

/// Time spent running, the task under way included.
///
/// One word, so that a reader never sees a task counted twice or not at all: while a task runs, the sum is what was spent
/// before, less the time at which it began; the reader adds the present time.
#[derive(Default)]
struct RunTime(AtomicU64);

impl RunTime {
    const UNDER_WAY: u64 = 1 << 63;

    /// A task begins (or has ended, where one was under way) `now` nanoseconds after the pool was made.
    fn begin(&self, now: u64) {
        let spent = self.0.load(Relaxed);
        self.0.store(spent.wrapping_sub(now) | Self::UNDER_WAY, Relaxed);
    }

    fn end(&self, now: u64) {
        let began = self.0.load(Relaxed);
        self.0.store(began.wrapping_add(now) & !Self::UNDER_WAY, Relaxed);
    }

    fn add(&self, amount: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(amount) & !Self::UNDER_WAY, Relaxed);
    }

    fn get(&self, now: u64) -> u64 {
        let spent = self.0.load(Relaxed);
        let under_way = spent & Self::UNDER_WAY != 0;
        (if under_way { spent.wrapping_add(now) } else { spent }) & !Self::UNDER_WAY
    }
}

/// How the tasks of one chunk of a batch have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) completed: usize,
    pub(super) failed: usize,
    pub(super) cancelled: usize,
}

impl Ended {
    /// Counts a task that ended with this error.
    pub(super) fn with_error(&mut self, error: &Error) {
        if is_stop(error) { self.cancelled += 1 } else { self.failed += 1 }
    }
}

/// Whether a task with this error was stopped, and did not fail by itself.
fn is_stop(error: &Error) -> bool {
    matches!(error.code(), Code::TaskCancelled | Code::TaskTimeout | Code::PoolClosed)
}

/// What one thread of a pool has done. 128: two cache lines, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Tally {
    completed: Count,
    failed: Count,
    cancelled: Count,
    wait_nanos: Count,
    run: RunTime,
    /// Whether the thread has answered all it held, and may be about to look at the queue.
    answered: AtomicBool,
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
    /// Entries waiting in the queue. A batch is one.
    pub queued: usize,
    /// Tasks being run: of a batch as many as there are threads in it; a task that others help with is one.
    pub running: usize,
    /// Tasks accepted since the pool was made.
    pub submitted: u64,
    /// Tasks that returned a value.
    pub completed: u64,
    /// Tasks that reported an error or panicked.
    pub failed: u64,
    /// Tasks cancelled, timed out or dropped by a forced close; inputs of a batch that were given up.
    pub cancelled: u64,
    /// Time spent waiting in the queue, all started entries together.
    pub wait: Duration,
    /// Time spent running, all threads together.
    pub run: Duration,
    /// Threads it has had at one time, at the most.
    pub most_threads: usize,
    /// How long after the pool was made.
    pub(super) taken_at: Duration,
}

impl Tally {
    pub(super) fn waited(&self, time: Duration) {
        self.wait_nanos.add(nanos(time));
    }

    /// Adds time spent running, where it is only known afterwards.
    pub(super) fn ran(&self, time: Duration) {
        self.run.add(nanos(time));
    }

    /// Work begins, so long after the pool was made.
    pub(super) fn begins(&self, now: Duration) {
        self.run.begin(nanos(now));
    }

    /// Work has ended.
    pub(super) fn ends(&self, now: Duration) {
        self.run.end(nanos(now));
    }

    /// Counts a task by what it came to.
    pub(super) fn ended<T>(&self, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => self.completed.add(1),
            Err(error) if is_stop(error) => self.cancelled.add(1),
            Err(_) => self.failed.add(1),
        }
    }

    /// Counts a chunk of a batch.
    pub(super) fn add(&self, ended: Ended) {
        self.completed.add(ended.completed as u64);
        self.failed.add(ended.failed as u64);
        self.cancelled.add(ended.cancelled as u64);
    }

    /// Whether the thread has nothing more to do before it looks at the queue. Set before it answers: the event queue's
    /// lock then brings it to who reads the answer.
    pub(super) fn set_answered(&self, answered: bool) {
        self.answered.store(answered, Relaxed);
    }

    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Relaxed)
    }

    pub(super) fn add_to(&self, stats: &mut Stats) {
        stats.completed += self.completed.get();
        stats.failed += self.failed.get();
        stats.cancelled += self.cancelled.get();
        stats.wait += Duration::from_nanos(self.wait_nanos.get());
        stats.run += Duration::from_nanos(self.run.get(nanos(stats.taken_at)));
    }
}

fn nanos(time: Duration) -> u64 {
    // 584 years; without 128 bits, as it is done three times for each task.
    time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(time.subsec_nanos()))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn run_time_counts_the_task_under_way() {
        let run = RunTime::default();
        assert_eq!(run.get(50), 0);
        run.begin(100);
        assert_eq!(run.get(130), 30);
        run.end(150);
        assert_eq!(run.get(900), 50);
        run.begin(1_000);
        assert_eq!(run.get(1_000), 50);
        run.end(1_001);
        run.add(9);
        assert_eq!(run.get(5_000), 60);
    }
}
